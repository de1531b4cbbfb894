import { versionKey } from '#log';
import { openClient } from '#postgres';
import { addDecimals, foldSessions, foldTransitions, foldUsage } from '#session';
import type { TestLedger } from '../../log/testing/ledger.js';
import { Projector, type ProjectorOptions } from '../projector.js';
import { step } from '../step.js';
import { readTold } from '../stored-event.js';

/** A replica's projector; stopped when its ledger is closed, which fails when it met a fault that nobody expected. */
export async function startProjector(
  ledger: TestLedger,
  options: Partial<ProjectorOptions> = {},
): Promise<Projector> {
  const faults: unknown[] = [];
  const projector = new Projector({
    database: { url: ledger.database.url, role: ledger.role },
    tail: await ledger.tail(),
    share: 0.1,
    workedMs: () => 0,
    onProjected: () => undefined,
    onFault: (error) => void faults.push(error),
    ...options,
  });
  ledger.onClose(async () => {
    await projector.close();
    if (faults.length > 0) throw new AggregateError(faults, `unexpected faults, the first: ${faults[0]}`);
  });
  projector.start();
  return projector;
}

/** Projects everything that the log has, in pages of `most` events of each partition. */
export async function projectAll({ database, partitions, role }: TestLedger, most: number): Promise<void> {
  const client = await openClient({ url: database.url, role });
  const asked = Array.from({ length: partitions }, (_, partition) => ({ partition, most }));
  try {
    for (let events = 1; events > 0; ) {
      const stepped = [...(await step(client, 1, asked)).values()];
      events = stepped.reduce((sum, one) => sum + one.events, 0);
    }
  } finally {
    await client.end();
  }
}

/** Waits until the live read models have come to the end of the log, of some partitions only when given. */
export async function untilProjected({ pool }: TestLedger, partitions?: number[]): Promise<void> {
  for (const end = performance.now() + 10_000; ; await new Promise((resolve) => setTimeout(resolve, 10))) {
    const { rowCount } = await pool.query(
      `select 1 from ledger.heads h
         join ledger.projection_positions p using (partition)
         join ledger.projection_generations g using (generation)
        where g.state = 'live' and p.sequence < h.sequence
          and ($1::int[] is null or h.partition = any($1))`,
      [partitions],
    );
    if (!rowCount) return;
    if (performance.now() > end) throw new Error('the projection did not come to the end within 10 s');
  }
}

/** The rows of the live read models, in an order of their own. */
export async function storedRows({ pool }: TestLedger) {
  const live = "generation = (select generation from ledger.projection_generations where state = 'live')";
  const sessions = await pool.query(
    `select partition, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session
       from ledger.projected_sessions where ${live} order by session_id`,
  );
  const transitions = await pool.query(
    `select partition, session_id, came, scope_id, sequence, transition
       from ledger.projected_transitions where ${live} order by session_id, came`,
  );
  const usage = await pool.query(
    `select partition, of_id, currency, sequence, operations::text, input_tokens::text, output_tokens::text,
            cached_tokens::text, duration_ms::text, trim_scale(cost)::text as cost
       from ledger.projected_usage where ${live} order by partition, sequence, of_id`,
  );
  const current = await pool.query(
    `select partition, session_id, status, environment, instance, project_id, reset_advised, started_at, tenant
       from ledger.projected_current where ${live} order by session_id`,
  );
  const { rows } = current;
  return { sessions: sessions.rows, transitions: transitions.rows, usage: usage.rows, current: rows };
}

/** The rows as they should be: each partition's log folded at once. */
export async function foldedRows({
  pool,
  partitions,
}: TestLedger): Promise<Awaited<ReturnType<typeof storedRows>>> {
  const sessions: { session_id: string }[] = [];
  const transitions: { session_id: string; came: boolean }[] = [];
  const usage: object[] = [];
  const current: { session_id: string }[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const { rows } = await pool.query(
      'select sequence, scope_id, scope_key, bytes from ledger.events where partition = $1 order by sequence',
      [partition],
    );
    const told = rows.map(({ sequence, scope_id: scopeId, bytes }) =>
      readTold(partition, { sequence, scopeId, text: bytes.toString('utf8') }),
    );
    const tenants = new Map(rows.map(({ scope_id, scope_key }) => [scope_id, scope_key.split('/')[0]]));
    for (const { sessionId, scopeId, started, sequence, session } of foldSessions(told).values()) {
      sessions.push({
        ...{ partition, session_id: sessionId, scope_id: scopeId, started, sequence },
        ...{ parent_id: session.parentId ?? null, attributes_digest: session.attributesDigest ?? null },
        ...{ version_key: session.versionId === undefined ? null : asUuid(versionKey(session.versionId)) },
        ...{ session: JSON.stringify(session) },
      });
      const { status, owner, scope, startedAt, resetAdvised } = session;
      if (status === 'ended') continue;
      const row = {
        ...{ partition, session_id: sessionId, status, tenant: tenants.get(scopeId) },
        ...{ environment: owner?.environment ?? null, instance: owner?.instance ?? null },
        ...{ project_id: scope.projectId, reset_advised: resetAdvised ?? false },
        started_at: new Date(startedAt),
      };
      current.push(row);
    }
    for (const { sessionId, came, scopeId, sequence, transition } of foldTransitions(told).values()) {
      transitions.push({
        ...{ partition, session_id: sessionId, came, scope_id: scopeId, sequence },
        ...{ transition: JSON.stringify(transition) },
      });
    }
    usage.push(...summed(told).map((row) => ({ partition, ...row })));
  }
  const sorted = { sessions: sessions.sort(byId), transitions: transitions.sort(byId) };
  return { ...sorted, usage, current: current.sort(byId) };
}

/** Each report added to the sums before it, exactly. */
function summed(told: Parameters<typeof foldUsage>[0]) {
  const sums = new Map<string, { counts: bigint[]; cost: string }>();
  const rows = foldUsage(told).map(({ ofId: of_id, currency, sequence, usage }) => {
    const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, durationMs = 0 } = usage;
    const key = `${of_id} ${currency}`;
    const before = sums.get(key) ?? { counts: [0n, 0n, 0n, 0n, 0n], cost: '0' };
    const more = [1, inputTokens, outputTokens, cachedTokens, durationMs];
    const counts = before.counts.map((count, index) => count + BigInt(more[index]!));
    const cost = addDecimals(before.cost, usage.cost?.amount ?? '0');
    sums.set(key, { counts, cost });
    const [operations, input_tokens, output_tokens, cached_tokens, duration_ms] = counts.map(String);
    const tokens = { input_tokens, output_tokens, cached_tokens };
    return { of_id, currency, sequence, operations, ...tokens, duration_ms, cost };
  });
  return rows.sort((a, b) => a.sequence - b.sequence || (a.of_id < b.of_id ? -1 : 1));
}

function byId(
  one: { session_id: string; came?: boolean },
  other: { session_id: string; came?: boolean },
): number {
  const [a, b] = [one, other].map(({ session_id, came }) => `${session_id} ${came}`) as [string, string];
  return a < b ? -1 : 1;
}

function asUuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
