import { createHash } from 'node:crypto';
import { operations } from '#api/schemas';
import { type OperationId, routes } from '#client';
import type { Owner, Position } from '#session';

type PartOf<Path> = Path extends `/v1/sessions/:sessionId/${infer Part}` ? Part : never;
/** A command for a session, by the last part of its path. */
type SessionCommandKind = PartOf<(typeof routes)[OperationId]['path']>;
export type CommandKind = 'start' | SessionCommandKind;

/** The operations of commands. */
export const OPERATION_OF = Object.fromEntries(
  Object.entries(routes).flatMap(([id, { path }]) => {
    const [, kind] = /^\/v1\/sessions\/:sessionId\/(\w+)$/.exec(path) ?? [];
    return kind === undefined ? [] : [[kind, id]];
  }),
) as Record<SessionCommandKind, OperationId>;

/** Those that say nothing but an epoch, and whose it is. A renewal is none: it leaves nothing in the log. */
export const PLAIN = (Object.keys(OPERATION_OF) as SessionCommandKind[]).filter((kind) => {
  const { body } = operations[OPERATION_OF[kind]] as { body?: { properties?: object } };
  const said = Object.keys(body?.properties ?? {});
  return (
    kind !== 'renew' && said.includes('epoch') && said.every((one) => one === 'epoch' || one === 'owner')
  );
});

export type ReadKind = 'current' | 'session' | 'snapshot' | 'feed';

/** What a client asks for. A command that is sent again is the same value. */
export interface Asked {
  kind: CommandKind | ReadKind;
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  /** Unique to the command, and somewhere in its body where an event or its details show it, if it says anything. */
  marker: string;
  body?: Record<string, unknown>;
  /** Its idempotency key, if it has one. */
  key?: string;
  /** Of all but snapshots: where it reads or writes. */
  partition?: number;
  /** Of what is about one scope. */
  scopeKey?: string;
  /** Of what names a session. */
  sessionId?: string;
  /** Of a stop. */
  stop?: { epoch: number; origin: Owner };
}

/** A session as an answer shows it: its JSON as the log has it, and its attributes' JSON. */
export interface Shown {
  json: string;
  attributes: string;
}

/** What came back. */
export interface Answer {
  status: number;
  /** Of a problem. */
  code?: string;
  outcome?: string;
  replayed?: true;
  position?: Position;
  session?: Shown;
  current?: Shown;
  /** Of a renewal. */
  until?: string;
  /** Of a session that was read. */
  refusals?: { why: string; count: number; position: Position }[];
  /** Of a page of the feed: what follows `after`; the hash is of the events' bytes with commas between. */
  page?: { after: number; count: number; hash: string };
  /** Of a snapshot, by partition: its position and its current sessions. */
  snapshot?: { position: Position; sessions: Shown[] }[];
  /** What no answer of its kind may look like. */
  strange?: string;
}

/** One request that was sent, and what is known of its fate. Times are milliseconds of one monotonic clock. */
export interface Operation {
  number: number;
  client: string;
  replica: number;
  asked: Asked;
  askedAt: number;
  answeredAt: number;
  /** Absent: nothing came back, `lost` says why. */
  answer?: Answer;
  lost?: string;
}

/**
 * What the answer says became of a command: `obeyed` or not, or that nobody can say. Every problem but
 * `unknown-outcome` says that the command was not obeyed.
 */
export function fateOf({ answer }: Operation): 'obeyed' | 'not obeyed' | 'unknown' {
  if (!answer || answer.strange || answer.code === 'unknown-outcome' || answer.code === 'internal') {
    return 'unknown';
  }
  return answer.status < 300 ? 'obeyed' : 'not obeyed';
}

const READS: ReadonlySet<string> = new Set<ReadKind>(['current', 'session', 'snapshot', 'feed']);

/** Whether it can leave something in the log. A renewal leaves nothing there. */
export function isCommand({ asked }: Operation): boolean {
  return !READS.has(asked.kind) && asked.kind !== 'renew';
}

/** One line that says what was asked and what came back. */
export function describe(operation: Operation): string {
  const { number, client, replica, asked, askedAt, answeredAt, answer, lost } = operation;
  const { kind, marker, key, sessionId, scopeKey } = asked;
  const about = sessionId ? ` of ${sessionId}` : scopeKey ? ` in ${scopeKey}` : '';
  const said = answer
    ? [
        answer.status,
        answer.code ?? answer.outcome,
        answer.position && `at ${answer.position.partition}:${answer.position.sequence}`,
        answer.replayed && 'replayed',
      ]
    : ['nothing:', lost];
  const times = `${seconds(askedAt)} to ${seconds(answeredAt)}`;
  return `#${number} ${client} at replica ${replica}, ${times}: ${kind} ${marker}${key ? ' (key)' : ''}${about} → ${said.filter(Boolean).join(' ')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`;
}

/** What stands for a page of the feed in the history. */
export function hashOfPage(events: readonly string[]): string {
  return createHash('sha256').update(events.join(',')).digest('base64url');
}
