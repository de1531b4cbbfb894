// The peers of the service: Fastify and pg with nothing between them, as fast as they go.
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import pg from 'pg';
import { execute } from '../stack.js';

/** About what the service answers, and about what it stores for a start. */
const ANSWER = JSON.stringify({ outcome: 'started', session: 'x'.repeat(520), position: 'x'.repeat(30) });
const CURRENT = JSON.stringify({ session: 'x'.repeat(480) });
const EVENT = 'event '.repeat(117);

const databaseUrl = process.argv[2]!;
await execute(
  databaseUrl,
  'create table public.events (sequence bigint primary key, at timestamptz not null, ' +
    'scope_key text not null, event text not null)',
);
const pool = new pg.Pool({ connectionString: databaseUrl, max: 16, connectionTimeoutMillis: 5_000 });
pool.on('error', () => {}); // idle ones hear it when Postgres stops; broken queries tell by themselves
const app = fastify();

interface Waiting {
  scopeKey: string;
  resolve(): void;
  reject(error: unknown): void;
}
let queue: Waiting[] = [];
let writing = false;
let sequence = 0;

/** What arrived while the last insert was committing goes into one insert. */
async function write(): Promise<void> {
  writing = true;
  while (queue.length > 0) {
    const batch = queue;
    queue = [];
    const at = new Date().toISOString();
    const list = (values: readonly unknown[]) => `{${values.join(',')}}`;
    const values = [
      list(batch.map(() => ++sequence)),
      list(batch.map(() => at)),
      list(batch.map(({ scopeKey }) => scopeKey)),
      list(batch.map(() => EVENT)),
    ];
    const text =
      'insert into public.events select * from unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::text[])';
    await pool.query({ name: 'insert', text, values }).then(
      () => batch.forEach((each) => void each.resolve()),
      (error) => batch.forEach((each) => void each.reject(error)),
    );
  }
  writing = false;
}

app.post<{ Body: { userId: string; projectId: string } }>('/batched', async (request, reply) => {
  const { userId, projectId } = request.body;
  await new Promise<void>((resolve, reject) => {
    queue.push({ scopeKey: `default/${userId}/${projectId}`, resolve, reject });
    if (!writing) void write();
  });
  return reply.code(201).header('content-type', 'application/json').send(ANSWER);
});

app.post<{ Body: { userId: string; projectId: string } }>('/single', async (request, reply) => {
  const { userId, projectId } = request.body;
  const values = [++sequence, new Date(), `default/${userId}/${projectId}`, EVENT];
  const text = 'insert into public.events values ($1, $2, $3, $4)';
  await pool.query({ name: 'insert_one', text, values });
  return reply.code(201).header('content-type', 'application/json').send(ANSWER);
});

app.get<{ Querystring: { userId: string; projectId: string } }>('/select', async (request, reply) => {
  const { userId, projectId } = request.query;
  const values = [`default/${userId}/${encodeURIComponent(projectId)}`];
  const text = 'select latest from public.current_sessions where scope_key = $1';
  const { rows } = await pool.query({ name: 'select', text, values });
  if (!rows[0]) return reply.code(404).send();
  return reply.header('content-type', 'application/json').send(rows[0].latest);
});

app.get('/constant', (_, reply) => {
  reply.header('content-type', 'application/json').send(CURRENT);
});

process.on('disconnect', () => process.exit(0));
await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.((app.server.address() as AddressInfo).port);
