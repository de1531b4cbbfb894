import type { Session } from '#session';
import type { Answer, Operation, Shown } from '../operation.js';
import { indexAt, type Span, type Story } from '../story.js';
import type { Evidence } from './evidence.js';
import { attributesOf } from './obeyed.js';

/** What a read shows of one partition is its state at some position from `floor` to `ceiling`. */
export interface Window {
  partition: number;
  floor: number;
  ceiling: number;
}

/** The earliest position in the window that a read can be the state of, or why there is none. */
export type Found = { sequence: number } | { wrong: string };

/** Holds a read of one scope or one session against the fold. */
export function findRead({ asked, answer }: Operation, window: Window, evidence: Evidence): Found {
  const { story, log } = evidence;
  if (!answer) return { sequence: window.floor };
  const spans =
    asked.kind === 'session'
      ? story.spansOfSession(asked.sessionId ?? '')
      : story.spansOf(asked.scopeKey ?? '');
  const found = findState(answer.session?.json, spans, window);
  if ('wrong' in found || !answer.session) return found;
  const session = JSON.parse(answer.session.json) as Session;
  const isOver = answer.status === 404;
  if (asked.kind === 'current' && isOver !== (session.status === 'ended'))
    return { wrong: `a session that is ${session.status} is told with ${answer.status}` };
  if (answer.session.attributes !== attributesOf(session, log.details))
    return { wrong: 'the attributes are not those of the session' };
  const wrong = wrongRefusals(asked.sessionId ?? '', answer, window, evidence);
  return wrong === undefined ? found : { wrong };
}

/** Where in the window a state stands; `json` is undefined for nothing at all. */
function findState(json: string | undefined, spans: readonly Span[], window: Window): Found {
  const { floor, ceiling } = window;
  for (let index = indexAt(spans, floor); index < spans.length; index++) {
    const span = spans[index];
    if (span && span.from > ceiling) break;
    if ((span && JSON.stringify(span.session)) === json)
      return { sequence: Math.max(floor, span?.from ?? 0) };
  }
  return { wrong: `${shown(json)}; ${told(spans, window, json)}` };
}

function shown(json: string | undefined): string {
  return json === undefined ? 'it shows nothing' : `it shows ${nameOf(JSON.parse(json))}`;
}

function told(
  spans: readonly Span[],
  { partition, floor, ceiling }: Window,
  json: string | undefined,
): string {
  const there = spans[indexAt(spans, floor)]?.session;
  const once = spans.findIndex(({ session }) => JSON.stringify(session) === json);
  const from = spans[once]?.from;
  const until = (spans[once + 1]?.from ?? 0) - 1;
  const was =
    json === undefined
      ? 'there was something from the first event on'
      : from === undefined
        ? 'which it never was'
        : `which it was from ${partition}:${from} to ${until > 0 ? `${partition}:${until}` : 'the end'}`;
  return `${was}, and the read has to be from ${partition}:${floor} (${there ? nameOf(there) : 'nothing'}) to ${partition}:${ceiling}`;
}

function nameOf({ sessionId, status, epoch, revision }: Session): string {
  return `…${sessionId.slice(-4)} ${status}, epoch ${epoch}, revision ${revision}`;
}

/** Refusals come by a query of their own: each is in the log, none that was known is missing. */
function wrongRefusals(
  sessionId: string,
  { refusals }: Answer,
  { partition, floor, ceiling }: Window,
  { log }: Evidence,
): string | undefined {
  if (!refusals || refusals.length >= MOST_SHOWN) return undefined;
  const shown = new Set(refusals.map(({ position }) => position.sequence));
  const events = log.partitions[partition] ?? [];
  const ofSession = (sequence: number) => {
    const event = events[sequence - 1]?.event;
    return event?.type === 'StopIgnored' && event.sessionId === sessionId;
  };
  for (const sequence of shown) {
    if (!ofSession(sequence) || sequence > ceiling) return `it shows a refusal at ${partition}:${sequence}`;
  }
  const missing = events.find(
    ({ sequence }) => sequence <= floor && ofSession(sequence) && !shown.has(sequence),
  );
  return missing && `it does not show the refusal at ${partition}:${missing.sequence}`;
}

/** The read shows the newest hundred. */
const MOST_SHOWN = 100;

/** A snapshot's part of one partition is exactly what was current at the position that it names. */
export function wrongSnapshot(
  sequence: number,
  sessions: readonly Shown[],
  { partition, floor, ceiling }: Window,
  { story, log }: Evidence,
): string | undefined {
  if (sequence < floor || sequence > ceiling)
    return `of ${partition} it is as of ${sequence}, and has to be from ${floor} to ${ceiling}`;
  const expected = currents(story, partition, sequence, log.details);
  const found = sessions.map(({ json, attributes }) => json + attributes).sort();
  if (expected.length === found.length && expected.every((one, index) => one === found[index]))
    return undefined;
  return `as of ${partition}:${sequence} it shows ${found.length} sessions that differ from the ${expected.length} current ones`;
}

function currents(story: Story, partition: number, sequence: number, details: ReadonlyMap<string, string>) {
  return story
    .currentsAt(partition, sequence)
    .map((session) => JSON.stringify(session) + attributesOf(session, details))
    .sort();
}
