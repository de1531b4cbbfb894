import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ask } from '../support/http.js';
import { spawnNode } from '../support/process.js';
import { startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';

// @session-ledger/nestjs in somebody's project, which is the code of its own page.
const root = fileURLToPath(new URL('../..', import.meta.url));
let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'session-ledger-nest-'));
  const packages = join(project, 'node_modules');
  execFileSync(process.execPath, [
    join(root, 'libs/client/npm/package.js'),
    join(packages, '@session-ledger/client'),
  ]);
  execFileSync(process.execPath, [
    join(root, 'examples/nestjs/npm/package.js'),
    join(packages, '@session-ledger/nestjs'),
  ]);
  mkdirSync(join(packages, '@types'));
  const needed = ['@nestjs', 'reflect-metadata', 'rxjs', 'fastify', '@types/node', 'undici-types'];
  for (const name of needed) symlinkSync(join(root, 'node_modules', name), join(packages, name));
}, 180_000);
afterAll(() => rmSync(project, { recursive: true, force: true }));

function compile(ledger: string, type: 'module' | 'commonjs'): void {
  const page = readFileSync(join(project, 'node_modules/@session-ledger/nestjs/README.md'), 'utf8');
  const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(page) ?? [];
  writeFileSync(join(project, 'app.ts'), code.replace('http://127.0.0.1:4600', ledger));
  const main = `import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.js';

async function main() {
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  console.log(await app.getUrl());
}
void main();
`;
  writeFileSync(join(project, 'main.ts'), main);
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type }));
  const options = [
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--lib',
    'es2023,esnext.disposable',
    '--strict',
  ];
  const decorators = [
    '--experimentalDecorators',
    '--emitDecoratorMetadata',
    '--types',
    'node',
    '--skipLibCheck',
  ];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, ...options, ...decorators, 'main.ts'], { cwd: project });
}

test.each(['module', 'commonjs'] as const)(
  'a handler of a project of type %s runs for the current session alone',
  async (type) => {
    const service = await startService();
    compile(service.url, type);
    const app = spawnNode(join(project, 'main.js'), {});
    const url = await app.waitForLine(/^http:/, 20_000);
    const [userId, value] = [newUser(), newUser()];
    const start = (owner: object, handles: object[]) =>
      ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner, handles } });
    const first = (await start(cloudDev, [{ kind: 'transport', value, binds: 'scope' }])).body.session;
    const add = (headers: Record<string, string>) => ask(`${url}/captions`, { headers, body: {} });

    expect(await add({ 'session-handle': `transport:${value}` })).toMatchObject({
      status: 201,
      body: { epoch: 1 },
    });
    await start(cloudDebug, []);
    expect(await add({ 'session-handle': `transport:${value}` })).toMatchObject({
      status: 201,
      body: { epoch: 2 },
    });
    const stale = await add({ 'session-reference': `${first.sessionId}; epoch=1` });
    expect(stale).toMatchObject({ status: 409, body: { type: '/problems/stale-session' } });
  },
);
