import type { Owner, Session } from '#client';
import { carried, type SeenEvent, typeOf } from '../data/scope-events';

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
export interface Joint {
  at: number;
  from?: number;
  to: number;
  label: string;
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
export interface Timeline {
  lanes: Lane[];
  bars: Bar[];
  joints: Joint[];
  marks: Mark[];
  start: number;
}

const NOBODY: Owner = { environment: 'nobody' };
export const nameOf = (owner?: Owner) =>
  owner ? owner.environment + (owner.instance === undefined ? '' : ` / ${owner.instance}`) : 'nobody';
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

/** What a timeline shows, from a scope's events in order. */
export function timelineOf(events: readonly SeenEvent[]): Timeline {
  const lanes: Lane[] = [];
  const numbers = new Map<string, number>();
  const laneOf = (owner: Owner) => {
    const key = JSON.stringify([owner.environment, owner.instance]);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, lanes.length);
    return lanes.push({ ...owner }) - 1;
  };
  const [bars, joints, marks]: [Bar[], Joint[], Mark[]] = [[], [], []];
  let open: Bar | undefined;
  let left: number | undefined;
  for (const event of events) {
    const at = Date.parse(event.time);
    const { session, origin, why, epoch } = carried(event);
    const type = typeOf(event);
    if (type === 'StopIgnored') {
      const times = event.ignoredstops ? `, ${event.ignoredstops} times` : '';
      const who = `${nameOf(origin)}${event.principal ? ` (${event.principal})` : ''}`;
      marks.push({
        at,
        lane: laneOf(origin ?? NOBODY),
        text: `${who}: stop ignored, ${why}${times}; it knew epoch ${epoch}`,
      });
    }
    if (!session) continue;
    const lane = laneOf(session.owner ?? session.previousOwner ?? NOBODY);
    const goesOn =
      open?.sessionId === session.sessionId && open.status === session.status && open.lane === lane;
    if (goesOn && open?.epoch === session.epoch) continue;
    if (open) {
      open.to = at;
      left = open.lane;
    }
    open = undefined;
    const label = LABELS[type];
    if (label) {
      const reason = type === 'SessionRotated' ? session.reason : session.endReason;
      const text = reason ? `${label} · ${reason}` : label;
      joints.push({ at, ...(left !== undefined && { from: left }), to: lane, label: text });
    }
    if (session.status === 'ended') continue;
    open = {
      lane,
      from: at,
      status: session.status,
      sessionId: session.sessionId,
      epoch: session.epoch,
      ...(session.owner && { owner: session.owner }),
    };
    bars.push(open);
  }
  return { lanes, bars, joints, marks, start: events[0] ? Date.parse(events[0].time) : Date.now() };
}

/** What happened, as a sentence without its subject. */
export function whatHappened(event: SeenEvent): string {
  const { session, previous, why, label, by } = carried(event);
  const type = typeOf(event);
  if (type === 'StopIgnored')
    return `Stop ignored: ${why}${event.ignoredstops ? ` (${event.ignoredstops} times)` : ''}`;
  if (type === 'SessionSuperseded') return `Superseded by ${nameOf(by)}`;
  if (type === 'SessionRotated') return `Rotated${session?.reason ? `: ${session.reason}` : ''}`;
  if (type === 'SessionEnded') return `Ended${session?.endReason ? `: ${session.endReason}` : ''}`;
  if (type === 'CheckpointMarked') return `Checkpoint ${label ?? ''}`;
  if (type === 'OwnershipLapsed' && session?.reservedFor)
    return `Lapsed; reserved for ${nameOf(session.reservedFor)}`;
  const words = type.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return `${words[0]?.toUpperCase()}${words.slice(1)}${previous ? ` (${short(previous.sessionId)})` : ''}`;
}
