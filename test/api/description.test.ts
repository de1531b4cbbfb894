import { existsSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { problems } from '#api';
import { NAME, type Operation, operations } from '#api/schemas';
import type { Description } from '../support/described.js';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';

let service: Service;
let description: Description;
beforeAll(async () => {
  service = await startService();
  ({ body: description } = await ask<Description>(`${service.url}/openapi.json`));
});

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

test('every operation is described, and nothing else', () => {
  expect(description.openapi).toMatch(/^3\.1\.\d$/);
  const described = Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { operationId }]) => `${operationId}: ${method} ${path}`),
  );
  const wanted = Object.entries<Operation>(operations).map(
    ([id, { method, path }]) => `${id}: ${method.toLowerCase()} ${path.replace(/:(\w+)\*?/g, '{$1}')}`,
  );
  expect(described.sort()).toEqual(wanted.sort());
});

test('each operation has its place on the page, and a body to try that the service takes', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  for (const [path, item] of Object.entries(description.paths)) {
    for (const operation of Object.values(item) as unknown as {
      tags: string[];
      requestBody?: { content: Record<string, { example: unknown }> };
      operationId: keyof typeof operations;
    }[]) {
      expect([path, operation.tags]).toEqual([path, [expect.any(String)]]);
      const { body } = operations[operation.operationId] as Operation;
      const example = operation.requestBody?.content['application/json']?.example;
      const isTaken = body === undefined || ajv.validate(body, example);
      expect([operation.operationId, isTaken, ajv.errors ?? []]).toEqual([operation.operationId, true, []]);
    }
  }
});

interface Offered {
  parameters: { name: string; in: string; required: boolean; example?: string | number }[];
  requestBody?: { content: Record<string, { example: object }> };
}

/** What "try it" of the page sends when nobody changes it: the address, and the body. */
function offered(path: string, { parameters, requestBody }: Offered): { path: string; body?: object } {
  const given = parameters.filter(({ example }) => example !== undefined);
  const full = given
    .filter((one) => one.in === 'path')
    .reduce((address, { name, example }) => address.replace(`{${name}}`, String(example)), path);
  const query = new URLSearchParams(
    given
      .filter((one) => one.in === 'query')
      .map(({ name, example }) => [name, String(example)] as [string, string]),
  );
  const body = requestBody?.content['application/json']?.example;
  return { path: query.size > 0 ? `${full}?${query}` : full, ...(body && { body }) };
}

test('what the page offers is taken as it stands, of every operation', async () => {
  const answers: [string, number][] = [];
  for (const [path, item] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      const { parameters } = operation as unknown as Offered;
      const required = parameters.filter((one) => one.required && one.in !== 'header');
      expect([path, required.filter(({ example }) => example === undefined)]).toEqual([path, []]);
      const request = offered(path, operation as unknown as Offered);
      const answered = new AbortController();
      const answer = await fetch(`${service.url}${request.path}`, {
        signal: answered.signal,
        method: method.toUpperCase(),
        ...(request.body && {
          ...{ body: JSON.stringify(request.body), headers: { 'content-type': 'application/json' } },
        }),
      });
      answered.abort(); // a stream has no end
      answers.push([`${method} ${request.path}`, answer.status]);
    }
  }
  expect(answers.length).toBeGreaterThan(40);
  const decided = [200, 201, 202, 404, 409];
  expect(answers.filter(([, status]) => !decided.includes(status))).toEqual([]);
  expect(answers[0]).toEqual(['post /v1/sessions', 201]);
});

test('every example fits its pattern, with and without Unicode classes', () => {
  for (const [path, item] of Object.entries(description.paths)) {
    for (const { parameters } of Object.values(item) as unknown as {
      parameters: { name: string; example?: unknown; schema: { pattern?: string } }[];
    }[]) {
      for (const { name, example, schema } of parameters) {
        if (example === undefined || schema.pattern === undefined) continue;
        const fits = ['', 'u'].map((flags) => new RegExp(schema.pattern!, flags).test(String(example)));
        expect([path, name, fits]).toEqual([path, name, [true, true]]);
      }
    }
  }
});

test('path parameters are declared and required', () => {
  for (const [path, item] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(item)) {
      expect(methods).toContain(method);
      const { parameters } = operation as unknown as { parameters: { name: string; in: string }[] };
      const names = parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(names);
      const required = { required: true, schema: expect.anything() };
      for (const one of parameters.filter((one) => one.in === 'path')) expect(one).toMatchObject(required);
    }
  }
});

test('every reference leads somewhere, and every schema is one of JSON Schema 2020-12', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema(description, 'openapi');
  const references: string[] = [];
  const schemas: object[] = Object.values(description.components.schemas);
  walk(description, (node) => {
    if (typeof node.$ref === 'string') references.push(node.$ref);
    if (typeof node.schema === 'object' && node.schema) schemas.push(node.schema);
  });
  expect(references.length).toBeGreaterThan(20);
  for (const reference of new Set(references)) expect(ajv.getSchema(`openapi${reference}`)).toBeDefined();
  for (const schema of schemas) expect(ajv.validateSchema(schema) || ajv.errors).toBe(true);
});

test('everything that is sent and answered has a name, which means the same in both descriptions', async () => {
  const { body: events } = await ask<Description>(`${service.url}/asyncapi.json`);
  const [ofRequests, ofEvents] = [description, events].map((one) => one.components.schemas);
  expect({ ...ofRequests, ...ofEvents }).toEqual({ ...ofEvents, ...ofRequests });
  for (const { body, answers } of Object.values<Operation>(operations)) {
    const schemas = [body, ...Object.values(answers).flatMap(({ schema, asked }) => [schema, asked])];
    const names = schemas.filter((schema) => schema !== undefined).map((schema) => Reflect.get(schema, NAME));
    expect(Object.keys(ofRequests ?? {})).toEqual(expect.arrayContaining(names));
  }
});

test('a session shows nothing that is not described', async () => {
  const known = Object.keys(description.components.schemas.Session?.properties ?? {});
  const userId = newUser();
  const seen = new Set<string>();
  const see = async (path: string, body: object) => {
    const answer = (await ask<{ session: { sessionId: string } }>(`${service.url}${path}`, { body })).body;
    for (const name of Object.keys(answer.session)) seen.add(name);
    return `/v1/sessions/${answer.session.sessionId}`;
  };
  const started = await see('/v1/sessions', { userId, owner: cloudDev, attributes: { a: 1 } });
  const successorHandle = { kind: 'agent', value: 'secret' };
  const rotated = await see(`${started}/rotate`, {
    epoch: 1,
    reason: 'build',
    versionId: 'v',
    successorHandle,
  });
  await see(`${rotated}/release`, { epoch: 2, to: cloudDev });
  await see(`${rotated}/claim`, { epoch: 3, owner: cloudDev });
  await see(`${rotated}/end`, { epoch: 4, origin: cloudDev, reason: 'done' });
  for (const path of [started, rotated]) {
    const { body, text } = await ask(`${service.url}${path}`);
    const { refusals, ...session } = body; // beside the session, and only here
    expect(refusals).toEqual([]);
    for (const name of Object.keys(session)) seen.add(name);
    expect(text).not.toContain('secret');
  }
  expect([...seen].filter((name) => !known.includes(name))).toEqual([]);
});

test('the type of every problem leads to a page that says what to do', async () => {
  for (const [code, { status, title, retryable }] of Object.entries(problems)) {
    const type = `/problems/${code}`;
    const page = await ask(`${service.url}${type}`);
    expect(page).toMatchObject({ status: 200, body: { type, status, title, retryable } });
  }
  const { body } = await ask(`${service.url}/problems/stale-epoch`);
  expect(body.advice).toMatch(/^Read the current session/);
});

test('the page for people brings its own style and script', async () => {
  const page = await ask(`${service.url}/docs`);
  expect(page.headers.get('content-type')).toMatch(/^text\/html/);
  const parts = [...page.text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, address = '']) => address);
  expect(parts).toHaveLength(2);
  for (const part of parts) {
    const { status, headers, text } = await ask(new URL(part, `${service.url}/docs`).href);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/css|javascript/);
    expect(text.length).toBeGreaterThan(10_000);
  }
});

test('the first page leads to all that a browser is shown', async () => {
  const page = await ask(`${service.url}/`);
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  const links = [...page.text.matchAll(/href="([^"]+)"/g)].map(([, address = '']) => address);
  const others = ['/docs', '/openapi.json', '/health/ready'];
  expect(links).toEqual(existsSync('dist/console/index.html') ? ['/console', ...others] : others);
});

test('the console is a page without a credential, also at an address within it', async () => {
  for (const path of ['/console', '/console/', '/console/scope/a%2Fb']) {
    const { status, headers, text } = await ask(`${service.url}${path}`);
    const isBuilt = existsSync('dist/console/index.html');
    expect(status).toBe(isBuilt ? 200 : 404);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(text).toContain('Session Ledger');
  }
  const asset = await ask(`${service.url}/console/assets/of-another-build.js`);
  expect(asset.status).toBe(404);
});

function walk(value: unknown, visit: (node: Record<string, unknown>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Record<string, unknown>);
  for (const inner of Object.values(value)) walk(inner, visit);
}
