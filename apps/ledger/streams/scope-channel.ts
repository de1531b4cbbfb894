import type { EventStream } from './event-stream.js';

/** Most events and bytes that wait in memory for those readers of a scope who do not have them yet. */
const KEPT_EVENTS = 100;
const KEPT_BYTES = 256 << 10;

/** What happens in a scope, for all who read its stream: an event is made into what they are sent once. */
export class ScopeChannel {
  readonly readers = new Set<EventStream>();
  /** Of the last events, dense; `top` is the version of the last one. */
  private frames: Buffer[] = [];
  private bytes = 0;
  private top: number | undefined;
  private readonly behind = new Set<EventStream>();

  /** The version of the last event that was heard; undefined before the first one. */
  get last(): number | undefined {
    return this.top;
  }

  leave(reader: EventStream): void {
    this.readers.delete(reader);
    this.reached(reader);
  }

  hear(version: number, frame: Buffer): void {
    if (version !== (this.top ?? 0) + 1) this.forget();
    this.top = version;
    this.frames.push(frame);
    this.bytes += frame.length;
    while (this.frames.length > KEPT_EVENTS || (this.bytes > KEPT_BYTES && this.frames.length > 1))
      this.bytes -= this.frames.shift()!.length;
    for (const reader of this.readers) {
      this.behind.add(reader);
      reader.wake();
    }
  }

  /** What follows a version; undefined when that is not here any more. */
  after(version: number): readonly Buffer[] | undefined {
    const { top } = this;
    if (top === undefined || version >= top) return [];
    const first = top - this.frames.length + 1;
    return version + 1 < first ? undefined : this.frames.slice(version + 1 - first);
  }

  /** The reader has all that was heard. What nobody waits for is forgotten. */
  reached(reader: EventStream): void {
    this.behind.delete(reader);
    if (this.behind.size === 0) this.forget();
  }

  private forget(): void {
    this.frames = [];
    this.bytes = 0;
  }
}
