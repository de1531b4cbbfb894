import type { LedgerClient } from '../ledger-client.js';
import { dataOf, parts } from './chunks.js';
import { type FollowedEvent, parseEvent } from './followed-event.js';

/** Why a follower has stopped by itself. None of these goes away by trying again. */
export type StopCode =
  /** The handler threw, again and again, or did not return: `cause` and the position tell where. */
  | 'handler-failed'
  | 'handler-stuck'
  /** Kafka's topic, or the stored position, has another number of partitions than the ledger. */
  | 'partitions-changed'
  /** The ledger has not reached the position: it was restored, or is another one. */
  | 'position-ahead'
  /** The ledger lost events in a failover or a restore: what was followed may not stand any more. */
  | 'restored'
  /** Kafka's topic begins again: it was made anew, or Kafka lost records. */
  | 'topic-recreated'
  /** The ledger is not the one that was followed before, or an event is from elsewhere. */
  | 'another-ledger'
  /** The feed does not go back to the position any more: `cause` is the problem, whose `archived` tells where to read on. */
  | 'archived'
  /** The feed itself lacks events: the log is damaged. */
  | 'events-missing'
  /** What should be events is something else, many times in a row. */
  | 'bad-events';

/** A follower has stopped, and needs somebody to look. */
export class FollowerStopped extends Error {
  override readonly name = 'FollowerStopped';

  constructor(
    readonly code: StopCode,
    what: string,
    cause?: unknown,
  ) {
    super(`${code}: ${what}`, cause === undefined ? undefined : { cause });
  }
}

/** How far each partition was followed. */
export type Positions = readonly number[];

/** What a source is given to hand over what it reads. */
export interface Reading {
  /** How far was followed so far; it moves while events are taken. */
  positions: Positions;
  /** How often the ledger's past had changed by then; undefined when the ledger does not tell. */
  restores: number | undefined;
  /** Events of any partitions, each partition's in order; repetitions do no harm. One call at a time. */
  take(events: readonly FollowedEvent[]): Promise<void>;
  signal: AbortSignal;
}

/** Where a follower gets its events from: the ledger's own stream, Kafka, or yours. */
export interface EventSource {
  /**
   * Reads after `positions` until the signal aborts, and then ends within 5 s. Rejects when it cannot go on; it is
   * then called again.
   */
  read(reading: Reading): Promise<void>;
  /** Rejects with FollowerStopped when the source cannot carry these positions. Called before reading, and beside it. */
  check?(positions: Positions): Promise<void>;
}

/** The ledger's own stream: GET /v1/feed/stream. */
export function feedSource(ledger: LedgerClient): EventSource {
  return {
    async read({ positions, restores, take, signal }) {
      const lastEventId = vectorOf(positions, restores);
      const body = await ledger.stream('feedStream', {}, { signal, lastEventId });
      for await (const blocks of parts(body, '\n\n')) {
        const data = blocks.map(dataOf).filter((one) => one !== undefined);
        if (data.length > 0) await take(data.map(parseEvent));
      }
    },
  };
}

/** The ids of the stream: each partition's sequence to base 36, between dots, and how often the past had changed. */
export function vectorOf(positions: Positions, restores?: number): string {
  const vector = positions.map((sequence) => sequence.toString(36)).join('.');
  return restores === undefined ? vector : `${vector}-r${restores}`;
}
