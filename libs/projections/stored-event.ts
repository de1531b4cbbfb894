import { decodeEvent } from '#log';
import { type PlacedTold, type SessionEvent, toldBy, UnknownEventType } from '#session';

/** An event as the projector reads it from its table. */
export interface StoredEvent {
  sequence: number;
  /** A UUID. */
  scopeId: string;
  /** Its bytes as text. */
  text: string;
}

/** Reads an event. Throws UnprojectableEvent, which names its place, for one that this version cannot understand. */
export function readTold(partition: number, { sequence, scopeId, text }: StoredEvent): PlacedTold {
  try {
    const { event, at } = decodeEvent(text);
    return { sequence, scopeId, ...toldBy(event as SessionEvent, at) };
  } catch (cause) {
    // What a parser says may quote data.
    const why = cause instanceof UnknownEventType ? cause.message : 'it cannot be read';
    throw new UnprojectableEvent(partition, sequence, why, { cause });
  }
}

/** The projection cannot go on past an event: nothing is skipped, so it waits there for a version that can. */
export class UnprojectableEvent extends Error {
  override readonly name = 'UnprojectableEvent';

  constructor(
    readonly partition: number,
    readonly sequence: number,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`event ${partition}:${sequence}: ${why}`, options);
  }
}
