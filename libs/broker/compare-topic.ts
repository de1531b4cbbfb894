import type { Feed, FeedEvent } from '#log';
import type { KafkaPort, KafkaRecord } from './broker.port.js';
import { sequenceOf } from './record.js';

/** What a Kafka partition holds, held against the log's table. */
export interface TopicReport {
  partition: number;
  /** Records read, repetitions included. */
  records: number;
  /** The last event that Kafka has; 0: none. */
  last: number;
  /** Events at the log's end that Kafka does not have yet. A relay that is behind is no fault. */
  behind: number;
  /** Events that are archived, so that the table cannot tell whether they are the same. */
  unchecked: number;
  /** What is wrong, at most the first hundred. */
  faults: string[];
  moreFaults: number;
}

export interface CompareTopicOptions {
  kafka: Pick<KafkaPort, 'bounds' | 'read'>;
  topic: string;
  /** Asked for the table, never for what is remembered. */
  feed: Pick<Feed, 'readTable'>;
  /** The last sequence of each partition, read before. */
  heads: readonly number[];
  /** Hears how many of how many records have been read. */
  onProgress?: (done: number, total: number) => void;
}

const PAGE = 500;
const MOST_FAULTS = 100;

/**
 * Reads the whole topic and holds each record against the table: every event from 1 on is there, in order, byte for
 * byte, and nothing else is. Repetitions of what came before are allowed. Rejects with what the ports throw.
 */
export async function* compareTopic(options: CompareTopicOptions): AsyncGenerator<TopicReport> {
  const { kafka, topic, heads, onProgress = () => {} } = options;
  const bounds = await kafka.bounds(topic);
  const total = bounds.reduce((sum, { begin, end }) => sum + end - begin, 0);
  let done = 0;
  for (const [partition, head] of heads.entries()) {
    const { begin = 0, end = 0 } = bounds.find((one) => one.partition === partition) ?? {};
    const comparison = new Comparison(options.feed, partition, head);
    for (let offset = begin; offset < end; ) {
      const records = await kafka.read(topic, partition, offset);
      if (records.length === 0) break;
      for (const record of records) await comparison.add(record);
      offset = records.at(-1)!.offset + 1;
      done += records.length;
      onProgress(done, total);
    }
    comparison.endAt(end);
    yield comparison.report();
  }
}

class Comparison {
  readonly #report: TopicReport;
  #page: readonly FeedEvent[] = [];
  /** The table has nothing up to here any more. */
  #archivedTo = 0;

  constructor(
    private readonly feed: Pick<Feed, 'readTable'>,
    private readonly partition: number,
    private readonly head: number,
  ) {
    const counts = { records: 0, last: 0, behind: head, unchecked: 0, moreFaults: 0 };
    this.#report = { partition, ...counts, faults: [] };
  }

  async add(record: KafkaRecord): Promise<void> {
    const report = this.#report;
    report.records += 1;
    const sequence = sequenceOf(record);
    const at = `at offset ${record.offset}`;
    if (sequence === undefined) return this.#fault(`the record ${at} is none of the relay's`);
    if (report.records === 1 && sequence > 1)
      this.#fault(`it begins with event ${sequence}, ${at}: what was before is only in the log`);
    else if (sequence > report.last + 1) this.#fault(`event ${sequence} ${at} comes after ${report.last}`);
    report.last = Math.max(report.last, sequence);
    report.behind = Math.max(0, this.head - report.last);
    if (sequence <= this.#archivedTo) report.unchecked += 1;
    else await this.#compare(record, sequence, at);
  }

  /** All of it was read, up to the offset that the next record gets. */
  endAt(offset: number): void {
    if (this.#report.records === 0 && offset > 0)
      this.#fault(`it is empty, but its end offset is ${offset}: its records were deleted`);
  }

  async #compare(record: KafkaRecord, sequence: number, at: string): Promise<void> {
    const event = await this.#event(sequence);
    if (event?.bytes.equals(record.value) && event.scopeKey === record.key) return;
    if (sequence <= this.#archivedTo) this.#report.unchecked += 1;
    else if (event) this.#fault(`event ${sequence} ${at} is another one than in the log`);
    else this.#fault(`event ${sequence} ${at} is not in the log`);
  }

  async #event(sequence: number): Promise<FeedEvent | undefined> {
    // Pages are dense: an event's place is its number's distance from the first.
    const within = () => this.#page[sequence - (this.#page[0]?.sequence ?? sequence)];
    const found = within();
    if (found) return found;
    try {
      this.#page = await this.feed.readTable(this.partition, sequence - 1, PAGE);
    } catch (error) {
      const { code, where } = error as { code?: string; where?: { firstSequence?: number } };
      if (code !== 'archived' || where?.firstSequence === undefined) throw error;
      this.#archivedTo = where.firstSequence - 1;
      return undefined;
    }
    return within();
  }

  #fault(what: string): void {
    if (this.#report.faults.length < MOST_FAULTS) this.#report.faults.push(what);
    else this.#report.moreFaults += 1;
  }

  report(): TopicReport {
    return this.#report;
  }
}
