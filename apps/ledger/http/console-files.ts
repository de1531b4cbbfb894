import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Where the build puts the console. */
const consoleFolder = join(dirname(createRequire(import.meta.url).resolve('#package.json')), 'dist/console');

/** Nothing from elsewhere, nothing inline, and in nobody's frame. */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ].join('; '),
  // What is looked at stands in the address.
  'referrer-policy': 'no-referrer',
};

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

/** Their names change with what is in them. */
const ASSETS = 'assets/';
const FOREVER = 'public, max-age=31536000, immutable';
const PAGE = 'index.html';

const ABSENT = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Session Ledger: no console</title></head>
<body><main><h1>The console was not built</h1>
<p>This service has no files for it. Run <code>npm run build</code>, then restart the service.</p>
<p>The <a href="/docs">description of the API</a> is here all the same.</p></main></body>
</html>`;

export interface ServedFile {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

interface KeptFile {
  type: string;
  body: Buffer;
  zipped: Buffer;
}

/**
 * The console's files, in memory from the start: a path leads to one of these or to nothing, so no path leads out of the
 * folder. What is no file is a place within the console, which its page shows.
 */
export class ConsoleFiles {
  private readonly files = new Map<string, KeptFile>();

  constructor(folder = consoleFolder) {
    if (!existsSync(join(folder, PAGE))) return;
    const found = readdirSync(folder, { recursive: true, withFileTypes: true });
    for (const entry of found) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const path = join(entry.parentPath, entry.name);
      const body = readFileSync(path);
      const name = relative(folder, path).split(sep).join('/');
      this.files.set(name, { type, body, zipped: gzipSync(body, { level: 9 }) });
    }
  }

  get isBuilt(): boolean {
    return this.files.size > 0;
  }

  /** @param path What follows `/console/`. */
  find(path: string, acceptEncoding = ''): ServedFile {
    const file = this.files.get(path) ?? (path.startsWith(ASSETS) ? undefined : this.files.get(PAGE));
    if (!file) return absent(this.isBuilt);
    const isZipped = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(acceptEncoding);
    return {
      status: 200,
      headers: {
        ...HEADERS,
        'content-type': file.type,
        'cache-control': path.startsWith(ASSETS) ? FOREVER : 'no-cache',
        vary: 'accept-encoding',
        ...(isZipped && { 'content-encoding': 'gzip' }),
      },
      body: isZipped ? file.zipped : file.body,
    };
  }
}

/** An asset of another build, or of none. */
function absent(isBuilt: boolean): ServedFile {
  const headers = { ...HEADERS, 'cache-control': 'no-store' };
  if (isBuilt)
    return {
      status: 404,
      headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' },
      body: Buffer.from('This build of the console has no such file. Reload the page.\n'),
    };
  return {
    status: 404,
    headers: { ...headers, 'content-type': TYPES['.html']! },
    body: Buffer.from(ABSENT),
  };
}
