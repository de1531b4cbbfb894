import { readdir, readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { ask } from '../support/http.js';
import { environment, freshDatabase, spawnService, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser, type ProblemBody } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(15_000);

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
  status: { code?: number };
}

/** Takes what OTLP over HTTP sends, as JSON. */
class Collector {
  readonly spans: Span[] = [];
  readonly resources: Span['attributes'][] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  text = '';
  private readonly server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', () => {
      this.text += body;
      this.headers.push(request.headers);
      for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
        this.resources.push(resource.attributes);
        this.spans.push(...scopeSpans.flatMap((scope: { spans: Span[] }) => scope.spans));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  named(name: string): Span[] {
    return this.spans.filter((span) => span.name === name);
  }
}

let collector: Collector;
let endpoint: string;
beforeEach(async () => {
  collector = new Collector();
  endpoint = await collector.listen();
});
afterEach(() => collector.close());

const soon = { OTEL_BSP_SCHEDULE_DELAY: '50' };
const toldBy = (span: Span | undefined) =>
  Object.fromEntries(
    span?.attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]) ?? [],
  );
const START = 'POST /v1/sessions';
const END = 'POST /v1/sessions/:sessionId/end';

test("a request is a span of its sender's trace, its commit one below it, and its events name it", async () => {
  const service = await startService({
    env: {
      ...{ ...soon, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: 'ledger-of-acme' },
      ...{ OTEL_EXPORTER_OTLP_HEADERS: 'x-collector-key=abc', OTEL_RESOURCE_ATTRIBUTES: 'deployment=blue' },
    },
  });
  const userId = newUser();
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  const given = {
    traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    'idempotency-key': 'secret-key-of-a-caller',
  };
  const handles = [{ kind: 'mcp-transport', value: 'secret-handle-value', binds: 'session' }];
  const begun = { userId, owner: cloudDev, handles, attributes: { note: 'secret-note' } };
  const { session } = (await ask<CommandBody>(`${service.url}/v1/sessions`, { body: begun, headers: given }))
    .body;
  await ask(`${service.url}/v1/sessions`, { body: { userId, owner: cloudDebug } });
  const late = { epoch: 1, origin: cloudDev, reason: 'secret-reason' };
  await ask(`${service.url}/v1/sessions/${session.sessionId}/end`, { body: late });
  await ask(`${service.url}/health/ready`);
  await until(() => collector.named(END).length === 1 && collector.named('commit').length === 3);

  const started = collector.named(START).find((span) => span.traceId === traceId);
  expect(started).toMatchObject({ parentSpanId: 'b7ad6b7169203331' });
  expect(toldBy(started)).toEqual({
    ...{ 'http.request.method': 'POST', 'http.route': '/v1/sessions', 'http.response.status_code': 201 },
    ...{ 'ledger.operation': 'startSession', 'ledger.outcome': 'started' },
  });
  expect(toldBy(collector.named(END)[0])).toMatchObject({
    ...{ 'http.response.status_code': 409, 'error.type': 'stale-session' },
  });
  const commit = collector.named('commit').find((span) => span.traceId === traceId);
  expect(commit).toMatchObject({ parentSpanId: started?.spanId });
  expect(toldBy(commit)).toEqual({ 'db.system.name': 'postgresql', 'ledger.batch.size': 1 });
  expect(collector.spans.map(({ name }) => name).filter((name) => name.includes('health'))).toEqual([]);

  const { events } = (
    await ask<{ events: { traceparent: string }[] }>(`${service.url}/v1/events?userId=${userId}`)
  ).body;
  expect(events[0]?.traceparent).toBe(`00-${traceId}-${started?.spanId}-01`);
  const second = collector.named(START).find((span) => span.traceId !== traceId);
  expect(events[1]?.traceparent).toBe(`00-${second?.traceId}-${second?.spanId}-01`);

  expect(collector.resources[0]).toEqual(
    expect.arrayContaining([
      { key: 'service.name', value: { stringValue: 'ledger-of-acme' } },
      { key: 'deployment', value: { stringValue: 'blue' } },
    ]),
  );
  expect(collector.headers[0]).toMatchObject({
    'x-collector-key': 'abc',
    'content-type': 'application/json',
  });
  for (const secret of [session.sessionId, userId, 'secret-']) expect(collector.text).not.toContain(secret);
});

test('what is left is sent when the service stops', async () => {
  const service = await startService({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '60000' },
  });
  await ask(`${service.url}/v1/sessions`, { body: { userId: newUser(), owner: cloudDev } });
  expect(collector.spans).toEqual([]);
  expect(await service.stop()).toMatchObject({ code: 0 });
  expect(collector.named(START)).toHaveLength(1);
});

test('a trace that its sender does not record is not recorded here, and its events keep what he said', async () => {
  const service = await startService({ env: { ...soon, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  const userId = newUser();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
  await ask(`${service.url}/v1/sessions`, { body: { userId, owner: cloudDev }, headers: { traceparent } });
  await ask(`${service.url}/v1/current?userId=${userId}`);
  await until(() => collector.named('GET /v1/current').length === 1);
  expect(collector.named(START)).toEqual([]);
  const events = await ask<{ events: { traceparent: string }[] }>(
    `${service.url}/v1/events?userId=${userId}`,
  );
  expect(events.body.events[0]?.traceparent).toBe(traceparent);
});

test('a collector that is away costs a line, and nothing else', async () => {
  collector.close();
  const service = await startService({
    env: { ...soon, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: '500' },
  });
  const answer = await ask(`${service.url}/v1/sessions`, { body: { userId: newUser(), owner: cloudDev } });
  expect(answer.status).toBe(201);
  await until(() => /traces: .*ECONNREFUSED/.test(service.output()));
  expect(service.output()).not.toMatch(/\n\s+at /);
});

test('what goes wrong in a request is logged by an id that the answer has: its trace, or one of its own', async () => {
  const service = await startService();
  const client = new pg.Client({ connectionString: service.databaseUrl });
  await client.connect();
  await client.query('alter table ledger.events rename to events_away');
  await client.end();
  const id = '0af7651916cd43dd8448eb211c80319c';
  const fail = async (headers = {}) => {
    const { status, body } = await ask<ProblemBody>(`${service.url}/v1/events?userId=ada`, { headers });
    expect([status, body.type]).toEqual([500, '/problems/internal']);
    return body.detail;
  };
  expect(await fail({ traceparent: `00-${id}-b7ad6b7169203331-01` })).toContain(id);
  await until(() => new RegExp(`request: 42P01 .*\\(request ${id}\\)`).test(service.output()));
  // Until there is another line of this kind, there is nothing to look for, and no id.
  let own: string | undefined;
  await until(async () => {
    own = /has it as ([0-9a-f]{32}):/.exec((await fail()) ?? '')?.[1];
    return own !== undefined;
  });
  await until(() => service.output().includes(`(request ${own})`));
});

test('nothing of OpenTelemetry is loaded unless traces are wanted', async () => {
  const folder = new URL('../../dist/apps/ledger/', import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.js'));
  const naming = await Promise.all(
    files.map(async (file) => {
      const code = await readFile(new URL(file, folder), 'utf8');
      return code.split('\n').filter((line) => line.includes("'@opentelemetry/"));
    }),
  );
  const lines = naming.flat();
  expect(lines.length).toBe(4);
  expect(lines.filter((line) => !/^\s*import\('@opentelemetry\/[\w-]+'\),$/.test(line))).toEqual([]);
});

test.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT: /],
  [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /^OTEL_TRACES_EXPORTER: /],
])('a variable that cannot be used is named: %j', async (env, line) => {
  const service = spawnService(environment({ databaseUrl: await freshDatabase(), env }));
  expect((await service.exited).code).toBe(1);
  expect(service.errors.join('\n')).toMatch(line);
});
