import type { KafkaPort } from './broker.port.js';
import { type CheckedTopic, ensureTopic, type TopicOptions, tooFewCopies } from './topic.js';

/** Settings can be changed at any time, and cost a connection of their own to ask for. */
const CHECK_EVERY_MS = 60_000;

interface Look {
  begunAt: number;
  open: boolean;
  topic: Promise<CheckedTopic>;
}

/**
 * Looks at the topic for all partitions of a relay: whether it is still the same one, and fit. What was made
 * again is checked as at the start; what was deleted and not made again is made after `leaveAbsentMs`: who deletes
 * a topic may be about to make it again with settings of their own.
 */
export class TopicWatch {
  #last: Look | undefined;
  /** Begins when the last one, which is too old for those who wait here, is over. */
  #queued: Promise<CheckedTopic> | undefined;
  #known: (CheckedTopic & { checkedAt: number; seenAt: number }) | undefined;

  constructor(
    private readonly kafka: KafkaPort,
    private readonly options: TopicOptions,
    private readonly leaveAbsentMs: number,
  ) {}

  /** As found at the last look, if any. */
  get warnings(): CheckedTopic['warnings'] {
    return this.#known?.warnings ?? [];
  }

  /**
   * The topic, by a look that began at most `maxAgeMs` ago; those who ask together share one. Throws
   * TopicMismatch, or an error that says why the topic cannot be used yet.
   */
  look(maxAgeMs: number): Promise<CheckedTopic> {
    if (this.#last && performance.now() - this.#last.begunAt <= maxAgeMs) return this.#last.topic;
    if (!this.#last?.open) return this.#begin();
    const begin = () => {
      this.#queued = undefined;
      return this.#begin();
    };
    this.#queued ??= this.#last.topic.then(begin, begin);
    return this.#queued;
  }

  #begin(): Promise<CheckedTopic> {
    const look: Look = { begunAt: performance.now(), open: true, topic: this.#look() };
    this.#last = look;
    look.topic.then(
      () => {
        look.open = false;
      },
      () => {
        // Whoever asks next looks anew.
        look.open = false;
        look.begunAt = Number.NEGATIVE_INFINITY;
      },
    );
    return look.topic;
  }

  async #look(): Promise<CheckedTopic> {
    const { kafka, options, leaveAbsentMs } = this;
    const shape = await kafka.topicShape(options.topic);
    const now = performance.now();
    const known = this.#known;
    if (known && !shape && now - known.seenAt < leaveAbsentMs) {
      throw new Error(
        `topic ${options.topic} was deleted. It is made again in ${leaveAbsentMs / 1000} s unless somebody does`,
      );
    }
    if (known && shape && shape.id === known.id && now - known.checkedAt < CHECK_EVERY_MS) {
      known.seenAt = now;
      const others = known.warnings.filter(({ code }) => code !== 'few-copies');
      known.warnings = [...tooFewCopies(options, shape), ...others];
      return known;
    }
    this.#known = { ...(await ensureTopic(kafka, options)), checkedAt: now, seenAt: now };
    return this.#known;
  }
}
