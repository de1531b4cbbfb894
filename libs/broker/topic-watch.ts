import { lostBeginnings } from './beginnings.js';
import type { KafkaPort, Log } from './broker.port.js';
import {
  type CheckedTopic,
  ensureTopic,
  type TopicOptions,
  type TopicWarning,
  tooFewCopies,
} from './topic.js';

interface Look {
  begunAt: number;
  open: boolean;
  topic: Promise<CheckedTopic>;
}

export interface TopicWatchOptions extends TopicOptions {
  /** How long a topic that was deleted is left absent before it is made again, in milliseconds. */
  leaveAbsentMs: number;
  /**
   * How often to look at the topic's settings and at the beginnings of its partitions, in milliseconds: they can
   * change at any time, and cost a connection of their own to ask for.
   */
  checkMs: number;
  log: Log;
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
  /** What is said of the topic's beginnings, and the look at them, which nobody waits for. */
  #beginnings: TopicWarning[] = [];
  #looking: Promise<void> | undefined;
  /** Codes of the warnings that were said and still stand. */
  #told = new Set<TopicWarning['code']>();

  constructor(
    private readonly kafka: KafkaPort,
    private readonly options: TopicWatchOptions,
  ) {}

  /** As found at the last look, if any. */
  get warnings(): TopicWarning[] {
    return [...(this.#known?.warnings ?? []), ...this.#beginnings];
  }

  /** Resolves when it asks Kafka for nothing more of its own accord. Never rejects. */
  async settled(): Promise<void> {
    await this.#looking;
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
    const { kafka, options } = this;
    const { leaveAbsentMs, checkMs } = options;
    const shape = await kafka.topicShape(options.topic);
    const now = performance.now();
    const known = this.#known;
    if (known && !shape && now - known.seenAt < leaveAbsentMs) {
      throw new Error(
        `topic ${options.topic} was deleted. It is made again in ${leaveAbsentMs / 1000} s unless somebody does`,
      );
    }
    if (known && shape && shape.id === known.id && now - known.checkedAt < checkMs) {
      known.seenAt = now;
      const others = known.warnings.filter(({ code }) => code !== 'few-copies');
      known.warnings = [...tooFewCopies(options, shape), ...others];
      this.#tell();
      return known;
    }
    const checked = { ...(await ensureTopic(kafka, options)), checkedAt: now, seenAt: now };
    if (checked.id !== known?.id) this.#beginnings = [];
    this.#known = checked;
    this.#tell();
    this.#looking ??= this.#lookAtBeginnings().finally(() => {
      this.#looking = undefined;
    });
    return checked;
  }

  /** Apart from what the partitions wait for: one that has no leader now would hold up all the others. */
  async #lookAtBeginnings(): Promise<void> {
    const { kafka, options } = this;
    try {
      let id: string | undefined;
      do {
        id = this.#known?.id;
        this.#beginnings = await lostBeginnings(kafka, options.topic);
      } while (id !== this.#known?.id); // it was made again meanwhile
      this.#tell();
    } catch (error) {
      // Looked at again with the settings. Kafka being away is said by those who wait for it.
      options.log('debug', `relay: the start offsets of topic ${options.topic} cannot be read: ${error}`);
    }
  }

  /** Says each warning once, as long as it stands. */
  #tell(): void {
    const { warnings } = this;
    for (const { code, text } of warnings)
      if (!this.#told.has(code)) this.options.log('warn', `relay: ${text}`);
    this.#told = new Set(warnings.map(({ code }) => code));
  }
}
