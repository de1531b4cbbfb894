import type { Position, Session, SessionEvent } from '#session';
import { stopIdOf } from '../../libs/log/ids.js';
import { hashOf } from './effects.js';
import type { Log, LoggedEvent } from './log.js';
import type { Answer, Asked, CommandKind, Operation, ReadKind, Shown } from './operation.js';

/** Small histories and logs made by hand, of one partition and mostly one scope, to lie to the rules with. */

export const SCOPE = 'default/ada/captions';
const ID = '01920000-0000-7000-8000-00000000000';

/** The session with this last digit. */
export function session(digit: number, epoch: number, more: Partial<Session> = {}): Session {
  return {
    sessionId: ID + digit,
    scope: { userId: 'ada', projectId: 'captions' },
    status: 'active',
    epoch,
    revision: epoch,
    principal: 'anonymous',
    rootId: ID + digit,
    chainLength: 1,
    startedAt: '2030-01-01T00:00:00.000Z',
    ...more,
  };
}

export function started(
  marker: string,
  digit: number,
  epoch: number,
  more: Partial<Session> = {},
): SessionEvent {
  return {
    type: 'SessionStarted',
    session: session(digit, epoch, { owner: { environment: 'dev', instance: marker }, ...more }),
  };
}

export function superseded(digit: number, epoch: number): SessionEvent {
  return {
    type: 'SessionSuperseded',
    session: session(digit, epoch, { status: 'ended', endCause: 'superseded' }),
    by: { environment: 'dev' },
  };
}

export const ORIGIN = { environment: 'late' };

export function ignored(digit: number, epoch: number): SessionEvent {
  return { type: 'StopIgnored', sessionId: ID + digit, origin: ORIGIN, epoch, why: 'superseded' };
}

interface Kept {
  /** Idempotency keys, with the sequences that answer them. */
  receipts?: Record<string, number[]>;
  stops?: { digit: number; epoch: number; count: number }[];
  /** Of events, by sequence: when they happened, if not at once. */
  at?: Record<number, string>;
}

/** A log; events that stand in one array belong to one command. */
export function logOf(
  appends: readonly (readonly SessionEvent[])[],
  { receipts = {}, stops = [], at = {} }: Kept = {},
): Log {
  const events: LoggedEvent[] = [];
  for (const [index, append] of appends.entries()) {
    for (const event of append) {
      const sequence = events.length + 1;
      events.push({
        partition: 0,
        sequence,
        scopeKey: SCOPE,
        commandId: `command-${index}`,
        at: at[sequence] ?? '2030-01-01T00:00:00.000Z',
        event,
        bytes: Buffer.from(JSON.stringify({ sequence, event })),
      });
    }
  }
  return {
    partitions: [events],
    receipts: new Map(Object.entries(receipts).map(([key, all]) => [hashOf(key), all.map(place)])),
    details: new Map(),
    ignoredStops: new Map(stops.map((one) => [stopIdOf(ID + one.digit, ORIGIN, one.epoch), one.count])),
  };
}

export function place(sequence: number): Position {
  return { partition: 0, sequence };
}

export function shown(of: Session | SessionEvent): Shown {
  const told = 'sessionId' in of && 'status' in of ? of : (of as { session: Session }).session;
  return { json: JSON.stringify(told), attributes: '{}' };
}

/** One operation: what was asked under which marker, from when to when, and what came back, if anything did. */
export function operation(
  kind: CommandKind | ReadKind,
  marker: string,
  [askedAt, answeredAt]: [number, number],
  answer: Answer | undefined,
  more: Partial<Asked> = {},
): Operation {
  const asked: Asked = { kind, method: 'POST', path: '/', marker, partition: 0, scopeKey: SCOPE, ...more };
  const operation: Operation = { number: askedAt, client: 'client', replica: 0, asked, askedAt, answeredAt };
  return answer ? { ...operation, answer } : { ...operation, lost: 'ECONNRESET' };
}

/** A start that was obeyed by this event at this sequence. */
export function startedAt(sequence: number, event: SessionEvent, more: Partial<Answer> = {}): Answer {
  return { status: 201, outcome: 'started', position: place(sequence), session: shown(event), ...more };
}

export function problem(code: string, status = 503, more: Partial<Answer> = {}): Answer {
  return { status, code, ...more };
}

/** A stop of a session that is another one's, by `ORIGIN`. */
export function stop(
  digit: number,
  epoch: number,
  times: [number, number],
  answer: Answer | undefined,
): Operation {
  const more = { sessionId: ID + digit, stop: { epoch, origin: ORIGIN } };
  return operation('end', `stop-${times[0]}`, times, answer, more);
}
