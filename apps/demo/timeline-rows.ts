import { type Answer, type Fact, type Seen, type SessionInEvent, sessionIdOf } from './facts.js';

/** One line of the timeline: a fact in words. */
export interface Row {
  at: number;
  who: string;
  what: string;
  result: string;
  session?: string | undefined;
  epoch?: number | undefined;
  note: string;
  refused?: boolean;
}

/** How a session is called in the timeline: `A …41fb`. */
export type Call = (sessionId: string) => string;

export function toRow(fact: Fact, call: Call): Row {
  switch (fact.kind) {
    case 'answer':
      return answerRow(fact, call);
    case 'event':
      return eventRow(fact);
    case 'view': {
      const { at, who, session } = fact;
      const note = session ? state(session) : 'none';
      return { at, who, what: 'has as current', result: '', ...name(session), note };
    }
    default:
      return fact satisfies never;
  }
}

const deeds: Record<Answer['did'], string> = {
  start: 'starts a session',
  stop: 'stops its session',
  release: 'releases it',
  claim: 'claims it',
  look: 'reads current',
  history: 'reads history',
};

function answerRow(answer: Answer, call: Call): Row {
  const { at, who, did, asked, status, outcome, session, current, history } = answer;
  const row = { at, who, what: deeds[did], result: `${status} ${outcome}` };
  if (history) return { ...row, note: historyNote(history, call) };
  if (status < 400) return { ...row, ...name(session), note: session ? state(session) : '' };
  const note = current
    ? `current: ${call(current.sessionId)}, epoch ${current.epoch}, ${state(current)}`
    : '';
  return { ...row, session: asked?.sessionId, epoch: asked?.epoch, note, refused: true };
}

const timesOf = (count: number | undefined) => (count === 1 ? 'once' : `${count} times`);

function historyNote(history: NonNullable<Answer['history']>, call: Call): string {
  const stops = history.filter(({ ignoredstops }) => ignoredstops !== undefined);
  const counts = stops.map(
    ({ data, ignoredstops }) =>
      `; stop of ${call(data.sessionId ?? '')} by ${data.origin?.environment}, ignored (${data.why}), sent ${timesOf(ignoredstops)}`,
  );
  return `${history.length} events${counts.join('')}`;
}

function eventRow(seen: Seen): Row {
  const { at, who, type, position, event } = seen;
  const row = { at, who, what: type, result: position, session: sessionIdOf(seen) };
  if (!event.session) {
    return {
      ...row,
      epoch: event.epoch,
      note: `by ${event.origin?.environment}: ${event.why}, nothing was stopped`,
    };
  }
  const by = event.by ? ` by ${event.by.environment}, not stopped by the user` : '';
  return { ...row, epoch: event.session.epoch, note: `${state(event.session)}${by}` };
}

/** A session in few words. */
export function state({ status, owner, endCause, reservedFor, reservedUntil }: SessionInEvent): string {
  if (status === 'ended') return endCause === 'ended' ? 'ended' : `ended: ${endCause}`;
  const reserved = reservedFor && ` for ${reservedFor.environment} until ${reservedUntil?.slice(11, 19)} UTC`;
  return `${status}${owner ? ` on ${owner.environment}` : ''}${reserved ?? ''}`;
}

function name(session: SessionInEvent | undefined): Pick<Row, 'session' | 'epoch'> {
  return { session: session?.sessionId, epoch: session?.epoch };
}
