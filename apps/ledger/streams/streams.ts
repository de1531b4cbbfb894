import type { FastifyReply } from 'fastify';
import type { Access } from '#access';
import { aheadOfLog, type EventsAfter, encodeVector, ScopeEventIds } from '#api';
import { type History, LogError, type Tail } from '#log';
import type { ScopeKey } from '#session';
import { onAbort } from '#waiting';
import { EventStream, SSE_HEADERS } from './event-stream.js';
import { answersHead } from './head.js';
import type { ScopeWatch } from './scope-watch.js';

/** Most streams at once; the next one is answered `overloaded`. */
const MOST = 10_000;
const PAGE = 100;
const IDLE_MS = 30_000;

/** Serves the streams of events, and ends them all when the service stops. */
export class Streams {
  private readonly streams = new Set<EventStream>();

  constructor(
    private readonly tail: Tail,
    private readonly history: History,
    private readonly watch: ScopeWatch,
    private readonly access: Pick<Access, 'hold'>,
    private readonly onFault: (error: unknown) => void,
  ) {
    // What they were sent may never have happened: they come back with the last id, and are told when it is ahead.
    tail.onRewind(() => this.close());
  }

  get count(): number {
    return this.streams.size;
  }

  /** All partitions after a vector, each in its order; or one scope's events after a version. */
  serve(reply: FastifyReply, after: EventsAfter): void {
    if ('vector' in after) this.feed(reply, after.vector, after.restores);
    else this.scope(reply, after.scopeKey, after.version, after.ids);
  }

  private feed(reply: FastifyReply, vector: number[], restores: number): void {
    this.open(reply, encodeVector(vector, restores), restores, (stream) =>
      Promise.all(vector.map((_, partition) => this.followPartition(stream, vector, restores, partition))),
    );
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
    firstId: string,
    restores: number,
    follow: (stream: EventStream) => Promise<unknown>,
  ): void {
    // It changed since the id was looked at.
    if (restores !== this.tail.restores) throw aheadOfLog('header.last-event-id');
    if (this.streams.size >= MOST) throw new LogError('overloaded', 'Too many streams are open already.');
    if (answersHead(reply, SSE_HEADERS)) return;
    let stream: EventStream | undefined;
    const stop = this.access.hold('streams', reply.request.asking, () => stream?.end());
    stream = EventStream.open(reply, firstId);
    this.streams.add(stream);
    onAbort(stream.closed, () => {
      stop();
      this.streams.delete(stream);
    });
    follow(stream).catch((error) => {
      this.onFault(error); // the reader comes back with the last id it has
      stream.end();
    });
  }

  private async followPartition(
    stream: EventStream,
    vector: number[],
    restores: number,
    partition: number,
  ): Promise<void> {
    while (!stream.closed.aborted) {
      const after = vector[partition] ?? 0;
      await this.tail.changed(partition, after, IDLE_MS, stream.closed);
      for (const { sequence, bytes } of await this.tail.read(partition, after, PAGE)) {
        await stream.room();
        // Together, or the id of another partition's event would tell what was not sent yet.
        vector[partition] = sequence;
        stream.send(encodeVector(vector, restores), bytes.toString());
      }
    }
  }

  private async followScope(
    stream: EventStream,
    scopeKey: ScopeKey,
    version: number,
    ids: ScopeEventIds,
  ): Promise<void> {
    for (let after = version; !stream.closed.aborted; ) {
      // Before the pages are read, and once for all of them: each reader is one waiter, never more.
      const changed = this.watch.next(scopeKey, IDLE_MS, stream.closed);
      for (let isMore = true; isMore && !stream.closed.aborted; ) {
        const events = await this.history.events(scopeKey, after, PAGE);
        for (const event of events) {
          await stream.room();
          after = event.version;
          stream.send(ids.encode(after), event.json);
        }
        isMore = events.length === PAGE;
      }
      await changed;
    }
  }
}
