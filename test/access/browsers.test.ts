import { request } from 'node:http';
import { type Service, startService } from '../support/service.js';

/** Web pages that nobody let in are kept out, also where there is no access control. */

let service: Service;
let open: Service;
beforeAll(async () => {
  const LEDGER_CORS_ORIGINS = 'https://console.example.com';
  service = await startService({ env: { LEDGER_ALLOWED_HOSTS: 'ledger.internal', LEDGER_CORS_ORIGINS } });
  open = await startService({
    env: { HOST: '0.0.0.0', LEDGER_WITHOUT_ACCESS_CONTROL: 'listen-everywhere' },
  });
});

interface Told {
  status: number | undefined;
  headers: NodeJS.Dict<string | string[]>;
  type: string | undefined;
}

/** As a browser asks: fetch would not let the headers be set. */
function asks(
  headers: Record<string, string>,
  { path = '/v1/current?userId=ada', method = 'GET', at = service.url } = {},
): Promise<Told> {
  const { port } = new URL(at);
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => {
        const type = text.startsWith('{') ? JSON.parse(text).type : undefined;
        resolve({ status: answer.statusCode, headers: answer.headers, type });
      });
    })
      .on('error', reject)
      .end();
  });
}

test.each(['localhost', 'localhost:4600', '127.0.0.1', '[::1]:80', 'LOCALHOST', 'ledger.internal'])(
  'asked as %s it answers',
  async (host) => {
    expect((await asks({ host })).status).toBe(404);
  },
);

test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '192.168.0.7:4600', 'ledger'])(
  'asked as "%s", as after DNS rebinding, it refuses',
  async (host) => {
    expect(await asks({ host })).toMatchObject({ status: 421, type: '/problems/misdirected' });
    expect((await asks({ host }, { path: '/health/live' })).status).toBe(421);
  },
);

test.each([
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: 'http://localhost:1' },
  { 'sec-fetch-site': 'cross-site' },
])('a page of another origin is refused: %j', async (headers) => {
  for (const at of [service.url, open.url]) {
    const host = `localhost:${new URL(at).port}`;
    expect(await asks({ host, ...headers }, { at })).toMatchObject({
      status: 403,
      type: '/problems/foreign-origin',
    });
    expect((await asks({ host, ...headers }, { at, method: 'POST', path: '/v1/sessions' })).status).toBe(403);
  }
});

test("the service's own pages and programs are let in", async () => {
  const host = `localhost:${new URL(service.url).port}`;
  for (const headers of [{}, { origin: `http://${host}` }, { 'sec-fetch-site': 'same-origin' }]) {
    expect((await asks({ host, ...headers })).status).toBe(404);
  }
});

test('a page of an origin that was named may ask, and its browser is told so', async () => {
  const origin = 'https://console.example.com';
  const host = 'localhost';
  const asked = await asks({ host, origin, 'sec-fetch-site': 'cross-site' });
  expect([asked.status, asked.headers['access-control-allow-origin'], asked.headers.vary]).toEqual([
    404,
    origin,
    'origin',
  ]);
  const before = { host, origin, 'access-control-request-method': 'POST' };
  const preflight = await asks(before, { method: 'OPTIONS', path: '/v1/sessions' });
  expect(preflight).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': origin } });
  expect(preflight.headers['access-control-allow-headers']).toContain('authorization');
  const foreign = { ...before, origin: 'https://evil.example' };
  const refused = await asks(foreign, { method: 'OPTIONS', path: '/v1/sessions' });
  expect(refused.headers['access-control-allow-origin']).toBeUndefined();
});

test('answers are for no cache, and are nothing but what they say that they are', async () => {
  for (const path of ['/v1/current?userId=ada', '/v1/nothing', '/health/ready', '/docs']) {
    const { headers } = await asks({ host: 'localhost' }, { path });
    expect([path, headers['cache-control'], headers['x-content-type-options']]).toEqual([
      path,
      'no-store',
      'nosniff',
    ]);
  }
  const { headers } = await asks({ host: 'localhost' }, { path: '/docs' });
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; script-src 'self' 'sha256-[^']+'; .*frame-ancestors 'none'$/,
  );
});
