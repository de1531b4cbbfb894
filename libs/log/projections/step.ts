import type pg from 'pg';
import {
  foldSessions,
  foldTransitions,
  foldUsage,
  type PlacedTold,
  type SessionRow,
  type TransitionRow,
  type UsageRow,
} from '#session';
import { versionKey } from '../ids.js';
import { together } from '../load.js';
import { list, statement } from '../statements.js';
import { readTold, UnprojectableEvent } from './stored-event.js';
import { Texts } from './texts.js';

const lockProjection = statement('lock_projection');
const readUnprojected = statement('read_unprojected');
const saveProjection = statement('save_projection');
const saveUsage = statement('save_usage');

/** One generation's part of one partition. */
export interface Part {
  generation: number;
  partition: number;
}

/** How far a step has come, and how many events it took; undefined when another is at it, or the part is gone. */
export type Stepped = { sequence: number; events: number } | undefined;

/**
 * Projects the next events of a part, at most `limit` of them: rows and position in one transaction, two round trips.
 * `client` is a pipeline of its own. Throws UnprojectableEvent, having changed nothing, or what Postgres says.
 */
export async function step(client: pg.Client, part: Part, limit: number): Promise<Stepped> {
  const { generation, partition } = part;
  const read = { ...readUnprojected, values: [partition, generation, limit] };
  return project(client, part, async () => (await client.query(read)).rows);
}

/** The same for events that the table no longer has: those after where the part stands, dense. */
export function stepThrough(
  client: pg.Client,
  part: Part,
  events: readonly UnprojectedEvent[],
): Promise<Stepped> {
  return project(client, part, async () => events);
}

/** An event as it is read to be projected. */
export interface UnprojectedEvent {
  sequence: number;
  scope_id: string;
  bytes: Buffer;
}

async function project(
  client: pg.Client,
  part: Part,
  read: () => Promise<readonly UnprojectedEvent[]>,
): Promise<Stepped> {
  const { generation, partition } = part;
  try {
    let rows: readonly UnprojectedEvent[] = [];
    const [, locked] = await together<pg.QueryResult | undefined>(client, () => [
      client.query('begin'),
      client.query({ ...lockProjection, values: [partition, generation] }),
      read().then((found) => {
        rows = found;
        return undefined;
      }),
    ]);
    const position: number | undefined = locked?.rows[0]?.sequence;
    if (position === undefined || rows.length === 0) {
      await client.query('rollback');
      return position === undefined ? undefined : { sequence: position, events: 0 };
    }
    const told = readUpToFault(partition, position, rows);
    const sequence = position + told.length;
    const used = foldUsage(told);
    await together(client, () => [
      used.length > 0 ? client.query({ ...saveUsage, values: usageColumns(part, used) }) : undefined,
      client.query({ ...saveProjection, values: columns(part, told, sequence) }),
      client.query('commit'),
    ]);
    return { sequence, events: told.length };
  } catch (error) {
    await client.query('rollback').catch(() => {}); // the connection is lost, and the transaction with it
    throw error;
  }
}

/** Reads events up to one that cannot be projected; throws UnprojectableEvent when that is the first. */
function readUpToFault(partition: number, position: number, rows: readonly UnprojectedEvent[]): PlacedTold[] {
  const told: PlacedTold[] = [];
  try {
    for (const { sequence, scope_id: scopeId, bytes } of rows) {
      const expected = position + told.length + 1;
      // Dense numbers: a hole would be an event that nobody would ever project.
      if (sequence !== expected) {
        throw new UnprojectableEvent(partition, expected, 'it is missing in the log');
      }
      told.push(readTold(partition, { sequence, scopeId, bytes }));
    }
  } catch (error) {
    if (told.length === 0) throw error; // the next step comes to it
  }
  return told;
}

/** The parameters of save_projection.sql. */
function columns({ generation, partition }: Part, told: readonly PlacedTold[], sequence: number): unknown[] {
  const texts = new Texts();
  const sessions = sessionColumns([...foldSessions(told).values()], texts);
  const transitions = transitionColumns([...foldTransitions(told).values()], texts);
  return [partition, generation, texts.bytes(), sequence, ...sessions, ...transitions];
}

function sessionColumns(rows: readonly SessionRow[], texts: Texts): string[] {
  const slices = rows.map(({ session }) => texts.add(JSON.stringify(session)));
  return [
    list(rows, (row) => row.sessionId),
    list(rows, (row) => row.scopeId),
    list(rows, (row) => row.started),
    list(rows, (row) => row.sequence),
    list(rows, ({ session }) => session.parentId),
    list(rows, ({ session: { versionId } }) => versionId && versionKey(versionId)),
    list(rows, ({ session }) => session.attributesDigest),
    list(slices, ({ start }) => start + 1),
    list(slices, ({ length }) => length),
  ];
}

function transitionColumns(rows: readonly TransitionRow[], texts: Texts): string[] {
  const slices = rows.map(({ transition }) => texts.add(JSON.stringify(transition)));
  return [
    list(rows, (row) => row.sessionId),
    list(rows, (row) => row.came),
    list(rows, (row) => row.scopeId),
    list(rows, (row) => row.sequence),
    list(slices, ({ start }) => start + 1),
    list(slices, ({ length }) => length),
  ];
}

/** The parameters of save_usage.sql. */
function usageColumns({ generation, partition }: Part, rows: readonly UsageRow[]): unknown[] {
  return [
    partition,
    generation,
    list(rows, (row) => row.ofId),
    list(rows, (row) => row.currency || '""'),
    list(rows, (row) => row.sequence),
    list(rows, ({ usage }) => usage.inputTokens ?? 0),
    list(rows, ({ usage }) => usage.outputTokens ?? 0),
    list(rows, ({ usage }) => usage.cachedTokens ?? 0),
    list(rows, ({ usage }) => usage.durationMs ?? 0),
    list(rows, ({ usage }) => usage.cost?.amount ?? 0),
  ];
}
