import type { FastifyReply } from 'fastify';
import type { Access } from '#access';
import { aheadOfLog, type EventsAfter, encodeVector, type Latest, ScopeEventIds } from '#api';
import { type FeedEvent, LogError, type LogPages, type Tail, versionOf } from '#log';
import type { ScopeKey } from '#session';
import { onAbort, rest } from '#waiting';
import type { LoopTurns } from '../loop-turns.js';
import { EventStream, frameOf, SSE_HEADERS } from './event-stream.js';
import { answersHead } from './head.js';
import { ScopeChannel } from './scope-channel.js';

/** Most streams at once; the next one is answered `overloaded`. */
const MOST = 10_000;
/** Of one write, about: what a reader is sent at a time. */
const WRITE_BYTES = 16 << 10;
const AGAIN_MS = 100;

type AfterVector = Extract<EventsAfter, { vector: unknown }>;

export interface StreamsOptions {
  tail: Tail;
  pages: LogPages;
  turns: LoopTurns;
  access: Pick<Access, 'hold'>;
  /** A scope's latest session, as of when it is asked or later. */
  latest(scopeKey: ScopeKey): Promise<Latest | undefined>;
  onFault(error: unknown): void;
}

/**
 * Serves the streams of events, and ends them all when the service stops. An event is delivered from memory: it is read at
 * most once, whoever follows. Pages of the past are for readers who come back, or cannot keep up.
 */
export class Streams {
  private readonly streams = new Set<EventStream>();
  /** Of the feed. */
  private readonly followers = new Set<EventStream>();
  /** Of scopes that anybody follows. */
  private readonly channels = new Map<string, ScopeChannel>();

  /** Who may wait, and is served between answers. */
  readonly turns: LoopTurns;

  constructor(private readonly options: StreamsOptions) {
    const { tail, turns } = options;
    this.turns = turns;
    tail.listen(
      (events) => this.hear(events),
      () => this.channels.size > 0 || this.followers.size > 0,
    );
    // What they were sent may never have happened: they come back with the last id, and are told when it is ahead.
    tail.onRewind(() => this.close());
  }

  get count(): number {
    return this.streams.size;
  }

  /** All partitions after a vector, each in its order, or what a tenant has in them; or one scope's events after a version. */
  serve(reply: FastifyReply, after: EventsAfter): void {
    if ('vector' in after) this.feed(reply, after);
    else this.scope(reply, after.scopeKey, after.version, after.ids);
  }

  private feed(reply: FastifyReply, after: AfterVector): void {
    const { vector, restores, only } = after;
    const firstId = only === undefined ? encodeVector(vector, restores) : undefined;
    this.open(reply, firstId, restores, async (stream) => {
      this.followers.add(stream);
      onAbort(stream.closed, () => this.followers.delete(stream));
      await this.followFeed(stream, after);
    });
  }

  private scope(reply: FastifyReply, scopeKey: ScopeKey, version: number, ids: ScopeEventIds): void {
    this.open(reply, ids.encode(version), ids.restores, (stream) =>
      this.followScope(stream, scopeKey, version, ids),
    );
  }

  close(): void {
    for (const stream of this.streams) stream.end();
  }

  private open(
    reply: FastifyReply,
    firstId: string | undefined,
    restores: number,
    follow: (stream: EventStream) => Promise<unknown>,
  ): void {
    // It changed since the id was looked at.
    if (restores !== this.options.tail.restores) throw aheadOfLog('header.last-event-id', this.options.tail);
    if (this.streams.size >= MOST) throw new LogError('overloaded', 'Too many streams are open already.');
    if (answersHead(reply, SSE_HEADERS)) return;
    let stream: EventStream | undefined;
    const stop = this.options.access.hold('streams', reply.request.asking, () => stream?.end());
    stream = EventStream.open(reply, firstId);
    this.streams.add(stream);
    onAbort(stream.closed, () => {
      stop();
      this.streams.delete(stream);
    });
    follow(stream).catch((error) => {
      this.options.onFault(error); // the reader comes back with the last id it has
      stream.end();
    });
  }

  private hear(events: readonly FeedEvent[]): void {
    for (const follower of this.followers) follower.wake();
    if (this.channels.size === 0) return;
    for (const { scopeKey, bytes } of events) {
      const channel = this.channels.get(scopeKey);
      if (!channel) continue;
      const json = bytes.toString();
      const version = versionOf(json);
      const ids = new ScopeEventIds(scopeKey as ScopeKey, this.options.tail.restores);
      channel.hear(version, Buffer.from(frameOf(ids.encode(version), json)));
    }
  }

  private async followFeed(stream: EventStream, { vector, restores, only }: AfterVector): Promise<void> {
    const { tail, pages } = this.options;
    for (let turn = 0; !stream.closed.aborted; ) {
      const heads = tail.heads();
      const partition = heads.findIndex((_, index) => {
        const one = (turn + index) % heads.length;
        return heads[one]! > vector[one]!;
      });
      if (partition < 0) {
        await stream.news();
        continue;
      }
      const next = (turn + partition) % heads.length;
      turn = next + 1;
      await stream.room();
      const page = await pages.follow(next, vector[next]!);
      const wanted = only === undefined ? page : page.filter(({ scopeKey }) => scopeKey.startsWith(only));
      // A page of others' events alone is passed over.
      if (wanted.length > 0 || page.length === 0)
        await this.sendAll(stream, wanted, ({ sequence, bytes }) => {
          // Together, or the id of another partition's event would tell what was not sent yet.
          vector[next] = sequence;
          return frameOf(only === undefined ? encodeVector(vector, restores) : undefined, bytes.toString());
        });
      if (only !== undefined) vector[next] = page.at(-1)?.sequence ?? vector[next]!;
    }
  }

  private async followScope(
    stream: EventStream,
    scopeKey: ScopeKey,
    version: number,
    ids: ScopeEventIds,
  ): Promise<void> {
    const channel = this.join(stream, scopeKey);
    let after = version;
    const catchUp = async (last: number) => {
      while (after < last && !stream.closed.aborted) {
        await stream.room();
        const events = await this.options.pages.followScope(scopeKey, after, last);
        await this.sendAll(stream, events, (event) => {
          after = event.version;
          return frameOf(ids.encode(after), event.json);
        });
      }
    };
    // What happened between the look at where to begin and the first that this channel hears.
    await catchUp((await this.options.latest(scopeKey))?.version ?? 0);
    while (!stream.closed.aborted) {
      await stream.room();
      if (channel.has(after)) after = await channel.serve(stream, after);
      else await catchUp(channel.last!);
    }
  }

  private join(stream: EventStream, scopeKey: ScopeKey): ScopeChannel {
    const channel = this.channels.get(scopeKey) ?? new ScopeChannel(this.turns);
    this.channels.set(scopeKey, channel);
    channel.join(stream);
    onAbort(stream.closed, () => {
      channel.leave(stream);
      if (channel.isEmpty) this.channels.delete(scopeKey);
    });
    return channel;
  }

  /** Sends a page as its reader takes it, a piece each turn. */
  private async sendAll<Event>(
    stream: EventStream,
    events: readonly Event[],
    frame: (event: Event) => string,
  ): Promise<void> {
    // What is known to be there is not: the past is changing, and all streams are about to end.
    if (events.length === 0) await rest(AGAIN_MS, stream.closed);
    for (let at = 0; at < events.length && !stream.closed.aborted; ) {
      await stream.room();
      await this.turns.next();
      let piece = '';
      while (at < events.length && piece.length < WRITE_BYTES) piece += frame(events[at++]!);
      stream.send(piece);
    }
  }
}
