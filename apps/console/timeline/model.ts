import type { Owner, Session } from '#client';
import { carried, type SeenEvent, typeOf } from '../data/seen-event';

export interface Bar {
  lane: number;
  from: number;
  /** Absent: it goes on. */
  to?: number;
  status: Session['status'];
  sessionId: string;
  epoch: number;
  owner?: Owner;
}
/** A moment at which a session or its owner changed. */
export interface Joint {
  at: number;
  from?: number;
  to: number;
  label: string;
  /** The label, and by whom. */
  text: string;
}
export interface Mark {
  at: number;
  lane: number;
  text: string;
}
export interface Lane {
  environment: string;
  instance?: string;
}

const NOBODY: Owner = { environment: 'no owner' };
export const nameOf = (owner?: Owner) =>
  owner ? owner.environment + (owner.instance === undefined ? '' : ` / ${owner.instance}`) : 'no owner';
export const short = (id: string) => `${id.slice(0, 4)}…${id.slice(-4)}`;

const LABELS: Record<string, string> = {
  SessionStarted: 'started',
  SessionSuperseded: 'superseded',
  SessionRotated: 'rotated',
  OwnershipReleased: 'released',
  OwnershipClaimed: 'claimed',
  OwnershipLapsed: 'lapsed',
  SessionExpired: 'expired',
  SessionEnded: 'ended',
  SessionInvalidated: 'invalid',
};

/** What a timeline shows. It grows by a scope's events in order; bars, joints and marks stand in the order of time. */
export class Timeline {
  readonly lanes: Lane[] = [];
  readonly bars: Bar[] = [];
  readonly joints: Joint[] = [];
  readonly marks: Mark[] = [];
  /** The time of the first event. */
  start = Date.now();
  readonly #numbers = new Map<string, number>();
  #count = 0;
  /** The bar that goes on, and the lane of the one before. */
  #open: Bar | undefined;
  #left: number | undefined;
  #isSuperseded = false;

  /** Takes in those of a list that grows at its end which it has not yet. */
  take(events: readonly SeenEvent[]): void {
    for (; this.#count < events.length; this.#count++) this.#add(events[this.#count]!);
  }

  #add(event: SeenEvent): void {
    const at = Date.parse(event.time);
    if (this.#count === 0) this.start = at;
    const { session, origin, why, epoch } = carried(event);
    const type = typeOf(event);
    if (type === 'StopIgnored') {
      const times = event.ignoredstops ? `, ${timesOf(event.ignoredstops)}` : '';
      const text = `${byWhom(origin, event)}: stop ignored, ${why}${times}; sent under epoch ${epoch}`;
      this.marks.push({ at, lane: this.#laneOf(origin ?? NOBODY), text });
    }
    if (!session) return;
    const lane = this.#laneOf(session.owner ?? session.previousOwner ?? NOBODY);
    const open = this.#open;
    const goesOn =
      open?.sessionId === session.sessionId && open.status === session.status && open.lane === lane;
    if (goesOn && open.epoch === session.epoch) return;
    if (open) {
      open.to = at;
      this.#left = open.lane;
    }
    this.#open = undefined;
    if (LABELS[type]) this.#join(event, session, at, lane);
    if (session.status === 'ended') return;
    const { status, sessionId, owner } = session;
    this.#open = { lane, from: at, status, sessionId, epoch: session.epoch, ...(owner && { owner }) };
    this.bars.push(this.#open);
  }

  #join(event: SeenEvent, session: Session, at: number, lane: number): void {
    const type = typeOf(event);
    const last = this.joints.at(-1);
    // What supersedes a session starts in the same moment: one joint from the one to the other.
    if (type === 'SessionStarted' && last?.at === at && this.#isSuperseded) {
      last.to = lane;
      return;
    }
    this.#isSuperseded = type === 'SessionSuperseded';
    const reason = type === 'SessionRotated' ? session.reason : session.endReason;
    const reserved = type === 'OwnershipLapsed' ? session.reservedFor : undefined;
    const label = [LABELS[type], reason, reserved && `reserved for ${nameOf(reserved)}`]
      .filter(Boolean)
      .join(' · ');
    const text = `${label}, ${byWhom(carried(event).by ?? session.owner, event)}, epoch ${session.epoch}`;
    this.joints.push({ at, ...(this.#left !== undefined && { from: this.#left }), to: lane, label, text });
  }

  #laneOf(owner: Owner): number {
    const key = JSON.stringify([owner.environment, owner.instance]);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.lanes.length);
    return this.lanes.push({ ...owner }) - 1;
  }
}

const timesOf = (count: number | bigint | string) => (Number(count) === 1 ? 'once' : `${count} times`);

const byWhom = (owner: Owner | undefined, { principal }: SeenEvent) =>
  `${nameOf(owner)}${principal ? ` (${principal})` : ''}`;

/** The first of a list in the order of time that is not before `at`. */
export function firstAt<One>(list: readonly One[], timeOf: (one: One) => number, at: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(list[middle]!) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

const endOf = (bar: Bar) => bar.to ?? Number.POSITIVE_INFINITY;
/** The first bar that reaches into a span; bars follow each other, so that their ends are in order as well. */
export const firstBar = ({ bars }: Timeline, from: number) => firstAt(bars, endOf, from);

/** What happened, as a sentence without its subject. */
export function whatHappened(event: SeenEvent): string {
  const { session, previous, why, label, by } = carried(event);
  const type = typeOf(event);
  if (type === 'StopIgnored')
    return `Stop ignored: ${why}${event.ignoredstops ? ` (${timesOf(event.ignoredstops)})` : ''}`;
  if (type === 'SessionSuperseded') return `Superseded by ${nameOf(by)}`;
  if (type === 'SessionRotated') return `Rotated${session?.reason ? `: ${session.reason}` : ''}`;
  if (type === 'SessionEnded') return `Ended${session?.endReason ? `: ${session.endReason}` : ''}`;
  if (type === 'CheckpointMarked') return `Checkpoint ${label ?? ''}`;
  if (type === 'OwnershipLapsed' && session?.reservedFor)
    return `Lapsed; reserved for ${nameOf(session.reservedFor)}`;
  const words = type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return `${words[0]?.toUpperCase()}${words.slice(1)}${previous ? ` (${short(previous.sessionId)})` : ''}`;
}
