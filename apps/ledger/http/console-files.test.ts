import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ConsoleFiles } from './console-files.js';

const around = mkdtempSync(join(tmpdir(), 'console-'));
const folder = join(around, 'console');
mkdirSync(join(folder, 'assets'), { recursive: true });
writeFileSync(join(folder, 'index.html'), '<!doctype html><title>console</title>');
writeFileSync(join(folder, 'assets/app-1a2b.js'), 'export {};');
writeFileSync(join(folder, 'notes.unknown'), 'not for readers');
writeFileSync(join(around, 'beside-the-console.json'), '{}');
afterAll(() => rmSync(around, { recursive: true }));

const files = new ConsoleFiles(folder);

test('the console, and every place within it, is its page, which may load nothing from elsewhere', () => {
  for (const path of [
    '',
    'index.html',
    'scope',
    'scope/a%2Fb/c',
    'notes.unknown',
    '../beside-the-console.json',
  ]) {
    const { status, headers, body } = files.find(path);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/html/);
    expect(headers['cache-control']).toBe('no-cache');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(String(body)).toContain('<title>console</title>');
  }
});

test('an asset is kept by browsers for good, because its name changes with what is in it', () => {
  const { status, headers, body } = files.find('assets/app-1a2b.js');
  expect(status).toBe(200);
  expect(headers).toMatchObject({
    'content-type': expect.stringMatching(/^text\/javascript/),
    'cache-control': 'public, max-age=31536000, immutable',
  });
  expect(String(body)).toBe('export {};');
});

test('an asset of an older build is not there: a page in place of a script would say nothing', () => {
  const { status, headers, body } = files.find('assets/app-0000.js');
  expect(status).toBe(404);
  expect(headers['cache-control']).toBe('no-store');
  expect(String(body)).toContain('Reload the page');
});

test('who takes gzip gets it', () => {
  for (const asked of ['gzip', 'br, gzip;q=0.5', 'deflate,GZIP']) {
    const { headers, body } = files.find('', asked);
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'accept-encoding' });
    expect(String(gunzipSync(body))).toContain('<title>console</title>');
  }
  for (const asked of ['', 'br', 'gzip;q=0', 'gzip; q=0.0, br']) {
    expect(files.find('', asked).headers).not.toHaveProperty('content-encoding');
  }
});

test('a console that was not built says so, and what to do', () => {
  const none = new ConsoleFiles(join(folder, 'nowhere'));
  for (const path of ['', 'scope', 'assets/app-1a2b.js']) {
    const { status, headers, body } = none.find(path);
    expect(status).toBe(404);
    expect(headers['content-type']).toMatch(/^text\/html/);
    expect(String(body)).toContain('npm run build');
  }
});
