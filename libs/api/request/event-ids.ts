import { murmur2, type ScopeKey } from '#session';
import type { Growing } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';

/** The last id that a reader of a stream has, and what it is called in a problem. */
export interface LastEventId {
  id: string;
  place: string;
}

/**
 * Where a reader goes on. The header counts before the query: an EventSource keeps its address for good, and sends
 * the header, which is newer, when it comes back. Empty is none.
 */
export function lastEventId(
  header: string | null | undefined,
  query: string | undefined,
): LastEventId | undefined {
  if (header) return { id: header, place: 'header.last-event-id' };
  return query ? { id: query, place: 'query.lastEventId' } : undefined;
}

/**
 * The id of a feed stream's event: how far each partition has been sent, so that any of them can resume it, and how
 * often the past had changed by then (`restores`).
 */
export function encodeVector(sequences: readonly number[], restores: number): string {
  return `${sequences.map((sequence) => sequence.toString(36)).join('.')}-r${restores}`;
}

/**
 * The vector of an id. Throws `invalid-request` for what this ledger has not given out, and `position-ahead` for what
 * it has given out before its past changed.
 */
export function decodeVector(last: LastEventId, partitions: number, restores: number): number[] {
  const { place } = last;
  const parts = withoutRestores(last, restores).split('.');
  const valid = parts.length === partitions && parts.every((part) => /^[0-9a-z]{1,11}$/.test(part));
  const sequences = valid ? parts.map((part) => Number.parseInt(part, 36)) : [];
  if (!valid || sequences.some((sequence) => !Number.isSafeInteger(sequence))) throw notOfThisStream(place);
  return sequences;
}

/** The ids of a scope's stream: a version and a mark of the scope, so that no other scope's stream takes them. */
export class ScopeEventIds {
  readonly #mark: string;

  constructor(
    scopeKey: ScopeKey,
    readonly restores: number,
  ) {
    this.#mark = (murmur2(scopeKey) >>> 0).toString(16).padStart(8, '0');
  }

  encode(version: number): string {
    return `${version}-${this.#mark}-r${this.restores}`;
  }

  /**
   * The version of an id. A version alone is one, too: it was the whole id once, and it stands in every event.
   * Throws `invalid-request` for what this stream has not given out, and `position-ahead` for what it has given out
   * before the log's past changed.
   */
  decode(last: LastEventId): number {
    const { place } = last;
    const id = withoutRestores(last, this.restores);
    const [, version, mark] = /^(\d{1,15})(?:-([0-9a-f]{8}))?$/.exec(id) ?? [];
    if (version === undefined) throw notOfThisStream(place);
    if (mark === undefined || mark === this.#mark) return Number(version);
    throw new ProblemError(
      'invalid-request',
      `${place} is an id of another scope's stream: send one of this scope, or none to begin at the present`,
    );
  }
}

/**
 * Why a reader is refused that is ahead: it would wait for ever, or miss what comes until then. At a standby nobody can
 * say: it may only be late.
 */
export function aheadOfLog(place: string, { isStandby }: Pick<Growing, 'isStandby'>): ProblemError {
  if (isStandby) {
    return new ProblemError(
      'unavailable',
      `${place} is ahead of the standby that this replica reads from: ask again later, or another replica`,
    );
  }
  return new ProblemError(
    'position-ahead',
    `${place} is ahead of the log: it comes from another ledger, or this one was restored. Read everything again`,
  );
}

/** An id says of which past it is. One that does not is of a reader who made it up of numbers: taken as it is. */
function withoutRestores({ id, place }: LastEventId, restores: number): string {
  const [whole, known] = /-r(\d{1,5})$/.exec(id) ?? [];
  if (whole === undefined) return id;
  if (Number(known) !== restores) {
    throw new ProblemError(
      'position-ahead',
      `${place} is from before this ledger was restored: events that were read may be gone. Read everything again`,
    );
  }
  return id.slice(0, -whole.length);
}

function notOfThisStream(place: string): ProblemError {
  return new ProblemError('invalid-request', `${place} is not an id of this stream`);
}
