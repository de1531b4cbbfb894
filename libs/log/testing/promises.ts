import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { Frontier, leafHash, rootOf } from '#audit';
import {
  currentOf,
  epochOf,
  MOST_SCOPE_HANDLES,
  partitionOf,
  partitionOfSession,
  type Session,
  type SessionEvent,
  timerOf,
} from '#session';
import { reportIdOf, scopeIdOf, stopIdOf } from '../ids.js';
import { digestOf } from '../write/handle-tables.js';
import { checkArchives, readWholeLog } from './archived-log.js';
import { groupBy, type Reader, type StoredEvent } from './stored-log.js';
import { nothingYet, type Story, sessionsIn, tell } from './story.js';

/**
 * Reads the whole ledger and says which of its promises it breaks: numbers, times and trees of the partitions,
 * the fold of every scope, and every table that claims to equal that fold. Empty when all is well. What was
 * archived is read from the directory `archives`.
 */
export async function brokenPromises(pool: pg.Pool, archives?: string): Promise<string[]> {
  const client = await pool.connect();
  try {
    // All of it as of one moment: a reaper may be at work.
    await client.query('begin isolation level repeatable read');
    const log = await readWholeLog(client, archives);
    const broken: string[] = [];
    await checkArchives(client, log, broken);
    await checkPartitions(client, log, broken);
    const stories = checkScopes(log, broken);
    await checkScopeRows(client, stories, broken);
    await checkSessionRows(client, stories, broken);
    await checkHandles(client, stories, broken);
    await checkIgnoredStops(client, log, broken);
    await checkCheckpoints(client, log, broken);
    await checkReceipts(client, broken);
    await checkDetails(client, stories, broken);
    await checkLeases(client, stories, broken);
    return broken;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** Promise 4 and 6: dense numbers, times that never go back, columns and trees that agree with the bytes. */
async function checkPartitions(client: Reader, log: StoredEvent[], broken: string[]): Promise<void> {
  const { rows: heads } = await client.query('select * from ledger.heads order by partition');
  const { partitions } = (await client.query('select partitions from ledger.ledger')).rows[0];
  const events = groupBy(log, ({ partition }) => partition);
  for (const head of heads) {
    const stored = events.get(head.partition) ?? [];
    events.delete(head.partition);
    stored.forEach((one, index) => {
      const name = `${one.partition}:${one.sequence}`;
      if (one.sequence !== index + 1) broken.push(`${name} stands where ${index + 1} should`);
      if (one.at < (stored[index - 1]?.at ?? '')) broken.push(`${name} is earlier than the event before it`);
      if (partitionOf(one.scopeKey, partitions) !== one.partition) broken.push(`${name} is misplaced`);
      checkDocument(name, one, broken);
    });
    if (head.sequence !== stored.length) broken.push(`head ${head.partition} is not its last number`);
    if (stored.length > 0 && head.at.toISOString() !== stored.at(-1)?.at)
      broken.push('head has another time');
    const root = Frontier.restore(head.sequence, head.frontier).root();
    if (!root.equals(rootOf(stored.map(({ bytes }) => leafHash(bytes)))))
      broken.push(`the tree of ${head.partition} is not that of its events`);
  }
  for (const partition of events.keys()) broken.push(`partition ${partition} has no head`);
}

function checkDocument(name: string, stored: StoredEvent, broken: string[]): void {
  const { document, event } = stored;
  const epoch = 'session' in event ? event.session.epoch : stored.epoch;
  const columns = [
    name,
    stored.type,
    stored.scopeKey,
    stored.scopeKey,
    stored.at,
    stored.version,
    stored.epoch,
  ];
  const said = [
    document.id,
    event.type,
    document.subject,
    document.partitionkey,
    document.time,
    document.data.version,
    epoch,
  ];
  if (!isDeepStrictEqual(columns, said)) broken.push(`the columns of ${name} differ from its bytes`);
}

/** Promise 1, 2: one current session at every position, epochs that only rise, dense versions. */
function checkScopes(log: StoredEvent[], broken: string[]): Map<string, Story> {
  const stories = new Map<string, Story>();
  const born = new Set<string>();
  const holders = new Map<string, string>();
  for (const { partition, sequence, scopeKey, version, event } of log) {
    const name = `${partition}:${sequence} ${event.type}`;
    const before = stories.get(scopeKey) ?? nothingYet();
    const epoch = epochOf(before.state);
    const revision = before.state.latest?.revision ?? 0;
    for (const { sessionId, status } of sessionsIn(event)) {
      const wasOver = before.sessions.get(sessionId)?.status === 'ended';
      if (wasOver && status !== 'ended') broken.push(`${name} revives a session`);
      if (partitionOfSession(sessionId) !== partition) broken.push(`${name} has an id of another partition`);
      if (status === 'ended' || before.sessions.has(sessionId)) continue;
      if (born.has(sessionId)) broken.push(`${name} reuses a session id`);
      born.add(sessionId);
    }
    const story = tell(before, event);
    stories.set(scopeKey, story);
    if (version !== story.state.version) broken.push(`${name} has version ${version}`);
    const alive = [...story.sessions.values()].filter((session) => session.status !== 'ended');
    if (alive.length > 1 || alive[0] !== currentOf(story.state)) broken.push(`${name} leaves two current`);
    if (epochOf(story.state) < epoch) broken.push(`${name} lowers the epoch`);
    const current = currentOf(story.state);
    const term = `${scopeKey} ${current?.epoch}`;
    if (current && (holders.get(term) ?? holding(current)) !== holding(current))
      broken.push(`${name} gives another holder the same epoch`);
    if (current) holders.set(term, holding(current));
    if (isSeen(event) && event.session.revision <= revision) broken.push(`${name} keeps the revision`);
  }
  return stories;
}

/** Whether readers of the current session see that something has changed. */
function isSeen(event: SessionEvent): event is Extract<SessionEvent, { session: Session }> {
  if (!('session' in event) || event.type === 'InvalidReported' || event.type === 'CheckpointMarked')
    return false;
  const isLate =
    event.type === 'UsageRecorded' ||
    (event.type === 'SessionInvalidated' && event.session.endCause !== 'invalid');
  return !(isLate && event.session.status === 'ended');
}

/** Promise 5 for scopes: the row is the fold. */
async function checkScopeRows(client: Reader, stories: Map<string, Story>, broken: string[]): Promise<void> {
  const { rows } = await client.query('select * from ledger.scopes');
  if (rows.length !== stories.size) broken.push(`${rows.length} scope rows for ${stories.size} scopes`);
  for (const row of rows) {
    const { version, latest } = stories.get(row.scope_key)?.state ?? {};
    const said = [row.version, row.latest, row.revision, row.ended, row.attributes_digest];
    const folded = [
      version,
      JSON.stringify(latest),
      latest?.revision,
      latest?.status === 'ended',
      latest?.attributesDigest ?? null,
    ];
    if (!isDeepStrictEqual(said, folded)) broken.push(`the row of ${row.scope_key} is not its fold`);
  }
}

/** Promise 5 for sessions: one row each, with its last state once it has ended. */
async function checkSessionRows(
  client: Reader,
  stories: Map<string, Story>,
  broken: string[],
): Promise<void> {
  const { rows } = await client.query('select * from ledger.sessions');
  const stored = new Map(rows.map((row) => [row.session_id, row]));
  for (const [key, { sessions }] of stories) {
    for (const session of sessions.values()) {
      const row = stored.get(session.sessionId);
      stored.delete(session.sessionId);
      const final = session.status === 'ended' ? JSON.stringify(session) : null;
      const said = [row?.scope_id.replaceAll('-', ''), row?.successor_id, row?.final];
      if (!isDeepStrictEqual(said, [scopeIdOf(key as never), session.successorId ?? null, final]))
        broken.push(`the row of session ${session.sessionId} is not its fold`);
    }
  }
  if (stored.size > 0) broken.push(`${stored.size} sessions are in no event`);
}

/**
 * Handles of sessions are what their events say, under the names that their scope's salt gives; those of scopes are at
 * most 32 each, and none is left reserved.
 */
async function checkHandles(client: Reader, stories: Map<string, Story>, broken: string[]): Promise<void> {
  const { rows } = await client.query('select * from ledger.handles');
  const said = [...stories.values()].flatMap(({ handles }) =>
    [...handles].map(([hash, { kind, sessionId }]) => `${kind} ${hash} ${sessionId}`),
  );
  const kept = rows.flatMap((row) => (row.session_id ? [`${row.kind} ${row.digest} ${row.session_id}`] : []));
  if (!isDeepStrictEqual(said.sort(), kept.sort())) broken.push('handles are not those of their sessions');
  const { rows: salts } = await client.query('select * from ledger.handle_salts');
  const saltOf = new Map(salts.map(({ scope_id, salt }) => [scope_id, salt]));
  for (const { hash, digest, scope_id, session_id } of rows) {
    const salt = saltOf.get(scope_id);
    if (!salt || (session_id && digest !== digestOf(hash, salt))) broken.push(`a handle has another name`);
  }
  const ofScopes = groupBy(
    rows.filter((row) => !row.session_id),
    (row) => row.scope_id,
  );
  for (const [scopeId, handles] of ofScopes) {
    if (scopeId === null) broken.push(`${handles.length} handles are reserved for nobody`);
    if (handles.length > MOST_SCOPE_HANDLES) broken.push(`a scope has ${handles.length} handles`);
  }
}

/** See commands.md#corner-5: an ignored stop is recorded once per session, origin, epoch and why, and counted. */
async function checkIgnoredStops(client: Reader, log: StoredEvent[], broken: string[]): Promise<void> {
  const { rows } = await client.query('select * from ledger.ignored_stops');
  const recorded = log.flatMap(({ event, partition, sequence }) =>
    recordedIn(event).map((one) => `${partition}:${sequence} ${one}`),
  );
  const counted = rows.map((row) => {
    if (row.count < 1) broken.push('a stop is counted less than once');
    return `${row.partition}:${row.sequence} ${row.stop_id.replaceAll('-', '')} ${row.session_id} ${row.why}`;
  });
  if (!isDeepStrictEqual(recorded.sort(), counted.sort()))
    broken.push('ignored stops and their counts differ');
  const names = new Set(recorded.map((one) => one.slice(one.indexOf(' '))));
  if (names.size < recorded.length) broken.push('the same ignored stop is recorded twice');
}

/** What is recorded once and counted: a stop that was not obeyed, or a report of a transient failure. */
function recordedIn(event: SessionEvent): string[] {
  switch (event.type) {
    case 'StopIgnored':
      return [`${stopIdOf(event.sessionId, event.origin, event.epoch)} ${event.sessionId} ${event.why}`];
    case 'InvalidReported': {
      const { sessionId, epoch } = event.session;
      return [`${reportIdOf(sessionId, epoch, event.reason)} ${sessionId} transient`];
    }
    default:
      return [];
  }
}

/** Promise 5 for checkpoints: the rows are the CheckpointMarked events. */
async function checkCheckpoints(client: Reader, log: StoredEvent[], broken: string[]): Promise<void> {
  const { rows } = await client.query('select * from ledger.checkpoints');
  const stored = rows.map((row) =>
    [
      row.partition,
      row.sequence,
      row.scope_id.replaceAll('-', ''),
      row.label,
      row.session_id,
      row.at.toISOString(),
    ].join(),
  );
  const marked = log.flatMap(({ event, partition, sequence, scopeKey, at }) =>
    event.type === 'CheckpointMarked'
      ? [[partition, sequence, scopeIdOf(scopeKey), event.label, sessionsIn(event)[0]?.sessionId, at].join()]
      : [],
  );
  if (!isDeepStrictEqual(stored.sort(), marked.sort())) broken.push('checkpoints differ from their events');
}

/** A key answers for one event of its scope, unless that is archived: then nobody may answer from it any more. */
async function checkReceipts(client: Reader, broken: string[]): Promise<void> {
  const { rows } = await client.query(
    `select count(*) as receipts, count(distinct (r.key, r.scope_id)) as keys, count(e.sequence) as answered
       from ledger.receipts r left join ledger.events e using (partition, sequence, scope_id, at)
      where not exists (select from ledger.archives a where a.partition = r.partition and a.last >= r.sequence)`,
  );
  const { receipts, keys, answered } = rows[0];
  if (keys !== receipts) broken.push('an idempotency key has two receipts in one scope');
  if (answered !== receipts) broken.push('a receipt names no event of its scope');
}

/** Details are bound to the log by SHA-256(salt ‖ body), base64url. */
async function checkDetails(client: Reader, stories: Map<string, Story>, broken: string[]): Promise<void> {
  const { rows } = await client.query('select * from ledger.details');
  const named = new Set(
    [...stories.values()].flatMap(({ events }) =>
      events.flatMap(sessionsIn).map(({ attributesDigest }) => attributesDigest),
    ),
  );
  for (const { digest, salt, body } of rows) {
    const computed = createHash('sha256').update(salt).update(body).digest('base64url');
    if (digest !== computed) broken.push(`details ${digest} are not those of the log`);
    if (!named.has(digest)) broken.push(`details ${digest} are in no session`);
  }
}

/** A current session whose time can be over has a lease row that fits it, and nothing else has one. */
async function checkLeases(client: Reader, stories: Map<string, Story>, broken: string[]): Promise<void> {
  const { rows } = await client.query('select * from ledger.leases');
  const stored = new Map(rows.map((row) => [row.session_id, row]));
  for (const { state } of stories.values()) {
    const timer = state.latest && timerOf(state.latest, state.latest.startedAt);
    if (!state.latest || !timer) continue;
    const { sessionId, epoch } = state.latest;
    const row = stored.get(sessionId);
    stored.delete(sessionId);
    const said = [row?.partition, row?.epoch, row?.renewable];
    if (!isDeepStrictEqual(said, [partitionOfSession(sessionId), epoch, timer.renewable]))
      broken.push(`the lease of ${sessionId} is not that of its session`);
    if (timer.renewable ? row?.until < new Date(timer.until) : row?.until.toISOString() !== timer.until)
      broken.push(`the lease of ${sessionId} has another end`);
  }
  if (stored.size > 0) broken.push(`${stored.size} leases are of no current session`);
}

function holding({ sessionId, owner }: Session): string {
  return JSON.stringify([sessionId, owner]);
}
