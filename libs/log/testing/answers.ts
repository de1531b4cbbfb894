import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import type { Answer, Submission } from '#api';
import { type Command, type Decision, decide, renameHandles, type ScopeKey } from '#session';
import { scopeIdOf } from '../ids.js';
import { LogError } from '../index.js';
import { digestOf } from '../write/handle-tables.js';
import { groupBy, readLog, type StoredEvent } from './stored-log.js';
import { knownFrom, nothingYet, type Story, tell } from './story.js';

/** A command and what its sender was told. */
export interface Told {
  submission: Submission;
  answer: Answer | LogError;
  /** When, in milliseconds since 1970; Postgres has the same clock here. */
  toldAt: number;
}

/** Submits, and keeps what the sender is told; anything but an answer or a LogError is thrown. */
export async function ask(
  writer: { submit(submission: Submission): Promise<Answer> },
  submission: Submission,
): Promise<Told> {
  try {
    return { submission, answer: await writer.submit({ ...submission }), toldAt: Date.now() };
  } catch (error) {
    if (error instanceof LogError) return { submission, answer: error, toldAt: Date.now() };
    throw error;
  }
}

/**
 * Holds what senders were told against the log: an accepted command stands there once, with the session of its
 * answer at its position; a refused or failed one is not there; and each answer is the one that the decider
 * gives on the story up to its position. Says what is wrong; empty when all is well.
 */
export async function untruths(told: readonly Told[], pool: pg.Pool): Promise<string[]> {
  const log = await readLog(pool);
  const { rows } = await pool.query('select scope_id, salt from ledger.handle_salts');
  const salts = new Map(rows.map(({ scope_id, salt }) => [scope_id.replaceAll('-', ''), salt]));
  const wrong: string[] = [];
  const byCommand = groupBy(log, ({ document }) => document.commandid);
  for (const { submission, answer, toldAt } of told) {
    const events = byCommand.get(submission.commandId) ?? [];
    byCommand.delete(submission.commandId);
    const name = `${submission.command.type} ${submission.commandId}`;
    if (answer instanceof LogError) {
      if (answer.code !== 'unknown-outcome' && events.length > 0)
        wrong.push(`${name}: ${answer.code}, yet obeyed`);
    } else if (
      answer.kind === 'unknown-session' ||
      answer.kind === 'key-reused' ||
      answer.kind === 'attributes-too-large' ||
      isReplay(answer)
    ) {
      if (events.length > 0) wrong.push(`${name}: ${answer.kind}, yet obeyed`);
    } else {
      const why = disagreement(submission, answer, events, { log, salts, toldAt });
      if (why) wrong.push(`${name}: ${why}`);
    }
  }
  for (const commandId of byCommand.keys()) wrong.push(`nobody sent ${commandId}`);
  return wrong;
}

function isReplay(answer: Answer): boolean {
  return answer.kind === 'accepted' && answer.replayed === true;
}

type Decided = Extract<Answer, { kind: 'accepted' | 'refused' }>;

function disagreement(
  { command, scopeKey }: Submission,
  answer: Decided,
  events: readonly StoredEvent[],
  { log, salts, toldAt }: { log: readonly StoredEvent[]; salts: ReadonlyMap<string, Buffer>; toldAt: number },
): string | undefined {
  const { partition, sequence } = answer.position;
  // That another scope has a handle is nothing that one scope's events could say.
  if (answer.kind === 'refused' && answer.refusal.code === 'handle-taken' && events.length === 0)
    return undefined;
  const last = events.at(-1);
  if (last && (last.partition !== partition || last.sequence !== sequence))
    return 'answered another position';
  const first = events[0]?.sequence ?? sequence + 1;
  const ofPartition = log.filter((one) => one.partition === partition);
  if (ofPartition.length < sequence) return 'what it was told of is not in the log';
  const key = scopeKey ?? scopeOf(command, ofPartition);
  const before = storyOf(ofPartition.slice(0, first - 1), key);
  const at = last?.at ?? ofPartition[sequence - 1]?.at ?? '';
  const salt = salts.get(scopeIdOf(key as ScopeKey)) ?? Buffer.alloc(0);
  const called = renameHandles(command, (handle) => ({ ...handle, hash: digestOf(handle.hash, salt) }));
  const timed = { ...called, at } as Command;
  const decision = decide(timed, knownFrom(before, timed));
  if (!isDeepStrictEqual(plain(decision.events), plain(events.map(({ event }) => event))))
    return `the log has ${events.map(({ type }) => type)} where ${decision.events.map(({ type }) => type)} belongs`;
  const { kind, position: _, attributes: __, ...told } = answer;
  // Which handles a scope keeps is nothing that its events say.
  const { dropped: ___, ...said } = { dropped: undefined, ...told };
  // Handles of the scope come and go without an event.
  if (command.type === 'ChangeHandles' && kind === 'accepted' && events.length === 0) return undefined;
  if (!isDeepStrictEqual(untimed(said), untimed(answerOf(decision)))) {
    const [was, due] = [said, answerOf(decision)].map((one) => JSON.stringify(one));
    return `answered ${kind} otherwise than decided: ${was} in place of ${due}`;
  }
  // It was decided between the log's last event and the answer; the wait is what was left of it then.
  const was = retryAfterOf(said);
  const most = retryAfterOf(answerOf(decision));
  const least = retryAfterOf(
    answerOf(decide({ ...timed, at: laterOf(at, toldAt) }, knownFrom(before, timed))),
  );
  return was <= most && was >= least ? undefined : `answered to wait ${was} s, not ${least} to ${most}`;
}

function laterOf(at: string, ms: number): string {
  return new Date(Math.max(Date.parse(at), ms)).toISOString();
}

function untimed(answer: object): unknown {
  const { refusal, ...rest } = plain(answer) as { refusal?: { retryAfter?: number } };
  const { retryAfter: _, ...refused } = refusal ?? {};
  return { ...rest, refused };
}

function retryAfterOf(answer: object): number {
  return 'refusal' in answer ? ((answer.refusal as { retryAfter?: number }).retryAfter ?? 0) : 0;
}

function answerOf(decision: Decision): object {
  if ('refusal' in decision) return { refusal: decision.refusal };
  const { events: _, handles: __, ...accepted } = decision;
  return accepted;
}

function scopeOf(command: Submission['command'], log: readonly StoredEvent[]): string | undefined {
  const started = log.find(
    ({ event }) =>
      'session' in event && event.session.sessionId === (command as { sessionId: string }).sessionId,
  );
  return started?.scopeKey;
}

function storyOf(log: readonly StoredEvent[], key: string | undefined): Story {
  return log
    .filter(({ scopeKey }) => scopeKey === key)
    .reduce((story, { event }) => tell(story, event), nothingYet());
}

/** As it is after a journey through JSON, without undefined fields. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
