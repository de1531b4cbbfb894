import type { LedgerEvent } from '#client';

export const eventTitles = ['position', 'time', 'event', 'session', 'epoch', 'what'];

interface Data {
  session?: SessionInEvent;
  previous?: SessionInEvent;
  sessionId?: string;
  epoch?: number;
  origin?: { environment: string };
  by?: { environment: string };
  why?: string;
}

interface SessionInEvent {
  sessionId: string;
  status: string;
  epoch: number;
  owner?: { environment: string; instance?: string };
  endCause?: string;
  reason?: string;
  versionId?: string;
}

/** Whose an event is, before what eventRow says of it. */
export const scopedTitles = ['position', 'time', 'user', 'project', ...eventTitles.slice(2)];

/** The same for readers of many scopes. */
export function scopedRow(event: LedgerEvent): (string | number | undefined)[] {
  const [position, time, ...rest] = eventRow(event);
  const [, user = '', project = ''] = event.subject.split('/').map(decodeURIComponent);
  return [position, time, user, project, ...rest];
}

/** An event in a line, for people. */
export function eventRow(event: LedgerEvent): (string | number | undefined)[] {
  const data = event.data as Data;
  const about = data.session ?? data.previous;
  return [
    event.id,
    event.time,
    event.type.replace(/^session-ledger\.|\.v\d+$/g, ''),
    about?.sessionId ?? data.sessionId,
    about?.epoch ?? data.epoch,
    what(event, data, about),
  ];
}

function what(event: LedgerEvent, { why, origin, by }: Data, about: SessionInEvent | undefined): string {
  const { ignoredstops } = event as { ignoredstops?: number };
  const parts = [
    about && (about.status === 'ended' ? `ended: ${about.endCause}` : about.status),
    about?.owner && about.status !== 'ended' && `on ${about.owner.environment}`,
    by && `by ${by.environment}`,
    origin && `by ${origin.environment}`,
    about?.reason,
    about?.versionId && `version ${about.versionId}`,
    why && `ignored: ${why}`,
    ignoredstops !== undefined && `sent ${ignoredstops === 1 ? 'once' : `${ignoredstops} times`}`,
  ];
  return parts.filter(Boolean).join(', ');
}
