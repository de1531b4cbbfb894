/**
 * Why a partition is not mirrored any further, for programs:
 * - `topic-mismatch`: the topic is not as the ledger needs it.
 * - `topic-recreated`: the topic was deleted and made again, and does not hold the partition from event 1 on.
 * - `kafka-lost`: Kafka has less than it had confirmed.
 * - `kafka-ahead`: Kafka has events that Postgres does not have.
 * - `other-history`: Kafka has another event than Postgres under the same number.
 * - `archived`: what is to be sent next is in an archive.
 * - `foreign-records`: somebody else writes to the topic.
 * - `log-hole`: an event is missing in Postgres.
 */
export type StopCode =
  | 'topic-mismatch'
  | 'topic-recreated'
  | 'kafka-lost'
  | 'kafka-ahead'
  | 'other-history'
  | 'archived'
  | 'foreign-records'
  | 'log-hole';

/** The relay stops, or has lost its lease. Whatever signal of a relay aborts has it as its reason. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** Half of a pause is left to chance: a relay's next attempt never comes at once. */
export const BACKOFF = { sure: 0.5 };

/** The partition must not be mirrored any further until somebody has looked. The message says what to do. */
export class RelayStopped extends Error {
  override name = 'RelayStopped';

  constructor(
    readonly code: StopCode,
    message: string,
    /** The last event of the Kafka partition, when the log does not have it. */
    readonly beyond?: Buffer,
  ) {
    super(message);
  }
}
