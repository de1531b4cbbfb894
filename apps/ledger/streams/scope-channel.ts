import { onAbort } from '#waiting';
import type { LoopTurns } from '../loop-turns.js';
import type { EventStream } from './event-stream.js';

/** Most events and bytes that wait in memory for those readers of a scope who do not have them yet. */
const KEPT_EVENTS = 100;
const KEPT_BYTES = 256 << 10;
/** So many readers are sent something in one turn: about as long as what waits may take of it. */
const AT_ONCE = 16;

/** A stream, as far as it is sent something. */
type Target = Pick<EventStream, 'send' | 'isFull' | 'closed'>;

interface Reader {
  readonly stream: Target;
  /** The version of the last event that it was sent. */
  after: number;
  leave(): void;
}

/**
 * What happens in a scope, for all who read its stream. An event is made into what they are sent once, and one walk around
 * them sends it: whoever has to be sent the same gets the same bytes, and nobody has a promise or a timer of an event.
 */
export class ScopeChannel {
  /** All who follow the scope; those who do not have what is here, or take nothing, are no readers meanwhile. */
  private readonly members = new Set<Target>();
  private readonly readers = new Set<Reader>();
  /** Of the last events, dense; `top` is the version of the last one. */
  private frames: Buffer[] = [];
  private bytes = 0;
  private top: number | undefined;
  /** What the last reader was sent, for the next one. */
  private shared: { after: number; bytes: Buffer } | undefined;
  private isSending = false;

  constructor(private readonly turns: Pick<LoopTurns, 'nextLive'>) {}

  /** The version of the last event that was heard; undefined before the first one. */
  get last(): number | undefined {
    return this.top;
  }

  get isEmpty(): boolean {
    return this.members.size === 0;
  }

  join(stream: Target): void {
    this.members.add(stream);
  }

  leave(stream: Target): void {
    this.members.delete(stream);
    this.forgetWhatAllHave();
  }

  hear(version: number, frame: Buffer): void {
    if (version !== (this.top ?? 0) + 1) this.forget();
    this.top = version;
    this.shared = undefined;
    this.frames.push(frame);
    this.bytes += frame.length;
    while (this.frames.length > KEPT_EVENTS || (this.bytes > KEPT_BYTES && this.frames.length > 1))
      this.bytes -= this.frames.shift()!.length;
    void this.sendAll();
  }

  /** Whether what follows a version is here. */
  has(version: number): boolean {
    const { top } = this;
    return top === undefined || version >= top - this.frames.length;
  }

  /**
   * Sends a stream what follows a version, as it happens. Resolves with the version of the last event that was sent: when
   * the stream is closed, has no room for more, or needs what is not here any more.
   */
  serve(stream: Target, after: number): Promise<number> {
    return new Promise((resolve) => {
      const reader: Reader = {
        stream,
        after,
        leave: () => {
          stop();
          this.readers.delete(reader);
          resolve(reader.after);
        },
      };
      this.readers.add(reader);
      let stop = () => {};
      stop = onAbort(stream.closed, () => reader.leave());
      void this.sendAll();
    });
  }

  /** Around all readers, those who come meanwhile included, until all of them have all that there is. */
  private async sendAll(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    for (let upTo: number | undefined; upTo !== this.top; ) {
      upTo = this.top;
      let left = 0;
      for (const reader of this.readers) {
        if (reader.after >= (this.top ?? 0)) continue;
        if (left === 0) {
          await this.turns.nextLive();
          left = AT_ONCE;
        }
        left -= 1;
        this.sendTo(reader);
      }
    }
    this.isSending = false;
    this.forgetWhatAllHave();
  }

  private sendTo(reader: Reader): void {
    const { stream, after } = reader;
    if (stream.closed.aborted) return; // it left while its turn was waited for
    if (!stream.isFull && this.has(after)) {
      stream.send(this.bytesAfter(after));
      reader.after = this.top!;
      if (!stream.isFull) return;
    }
    reader.leave();
  }

  private bytesAfter(version: number): Buffer {
    if (this.shared?.after !== version) {
      const frames = this.frames.slice(version - this.top!);
      this.shared = { after: version, bytes: frames.length === 1 ? frames[0]! : Buffer.concat(frames) };
    }
    return this.shared.bytes;
  }

  private forgetWhatAllHave(): void {
    if (!this.isSending && this.readers.size >= this.members.size) this.forget();
  }

  private forget(): void {
    this.frames = [];
    this.bytes = 0;
    this.shared = undefined;
  }
}
