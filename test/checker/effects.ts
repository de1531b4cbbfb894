import { anonymous, receiptOf, unkeyed } from '#api';
import { digest } from '#log';
import type { Position, Session, SessionEvent } from '#session';
import type { Log, LoggedEvent } from './log.js';
import type { Asked } from './operation.js';
import { sessionsIn } from './story.js';

/** What a command has left in the log: its last event, and the first one of the same append. */
export interface Effect extends Position {
  first: number;
  type: SessionEvent['type'];
}

/** What every command has left in the log: found by its marker, and by its key. */
export class Effects {
  private readonly byMarker = new Map<string, Effect[]>();
  private readonly byPosition = new Map<string, Effect>();

  constructor(private readonly log: Log) {
    for (const events of log.partitions) this.read(events);
  }

  /** Where a command stands, each place once; more than one is a fault. */
  of(asked: Asked): Effect[] {
    const found = [...(this.byMarker.get(asked.marker) ?? []), ...this.receiptsOf(asked).map(this.at)];
    return found.filter((one, index) => found.findIndex((other) => isSame(one, other)) === index);
  }

  /** The positions that answer for its key. */
  receiptsOf({ key }: Asked): readonly Position[] {
    return key === undefined ? [] : (this.log.receipts.get(hashOf(key)) ?? []);
  }

  /** The event at a position, as the effect of whoever asked for it. */
  private readonly at = (position: Position): Effect => {
    const { partition, sequence } = position;
    const known = this.byPosition.get(`${partition}:${sequence}`);
    return known ?? { ...position, first: sequence, type: 'StopIgnored' };
  };

  private read(events: readonly LoggedEvent[]): void {
    const sessions = new Map<string, Session>();
    let first = 0;
    let commandId = '';
    for (const logged of events) {
      const { partition, sequence, event } = logged;
      if (logged.commandId !== commandId) first = sequence;
      commandId = logged.commandId;
      const effect: Effect = { partition, sequence, first, type: event.type };
      this.byPosition.set(`${partition}:${sequence}`, effect);
      const marker = this.markerOf(event, sessions);
      if (marker !== undefined) this.byMarker.set(marker, [...(this.byMarker.get(marker) ?? []), effect]);
      for (const session of sessionsIn(event)) sessions.set(session.sessionId, session);
    }
  }

  /** The marker of the command that asked for an event; undefined where none shows, or time alone brought it about. */
  private markerOf(event: SessionEvent, before: ReadonlyMap<string, Session>): string | undefined {
    switch (event.type) {
      case 'SessionStarted':
      case 'OwnershipClaimed':
        return event.session.owner?.instance;
      case 'SessionRotated':
        return event.session.versionId;
      case 'OwnershipReleased':
        return event.session.reservedFor?.instance;
      case 'SessionEnding':
        return event.session.endReason;
      case 'SessionEnded': {
        const { sessionId, endReason } = event.session;
        // A drain that is over: the stop that began it had its effect before.
        return before.get(sessionId)?.endReason === endReason ? undefined : endReason;
      }
      case 'AttributesChanged': {
        const body = this.log.details.get(event.session.attributesDigest ?? '');
        return body === undefined ? undefined : (JSON.parse(body) as { marker?: string }).marker;
      }
      default:
        return undefined;
    }
  }
}

const hashes = new Map<string, string>();

/** What an idempotency key of ours is kept as. */
export function hashOf(key: string): string {
  const known = hashes.get(key);
  if (known) return known;
  const hash = receiptOf({ ...unkeyed(anonymous), key }, { digest })?.key ?? '';
  hashes.set(key, hash);
  return hash;
}

function isSame(one: Position, other: Position): boolean {
  return one.partition === other.partition && one.sequence === other.sequence;
}
