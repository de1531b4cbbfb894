import { randomUUID } from 'node:crypto';
import type { SessionView } from '#api/schemas';
import type { Reply } from './http.js';

/** What a command that was obeyed is answered with. */
export interface CommandBody {
  outcome: string;
  session: SessionView;
  current?: SessionView;
  position: { partition: number; sequence: number };
}

/** What everything else is answered with. */
export interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail?: string;
  retryable: boolean;
  current?: SessionView;
  last?: SessionView;
  until?: string;
}

/** A page of events. */
export interface EventsBody {
  events: {
    id: string;
    type: string;
    subject: string;
    time: string;
    sequence: string;
    data: Record<string, unknown>;
  }[];
  next?: number;
}

/** A page of a chain, or of a scope's sessions, which has no sums. */
export interface ChainBody {
  sessions: (SessionView & { position: CommandBody['position'] })[];
  usage?: SessionView['usage'];
  next?: string;
}

/** A page of a scope's transitions. */
export interface TransitionsBody {
  transitions: {
    source: string;
    from?: string;
    to?: string;
    reason?: string;
    versionId?: string;
    at: string;
    position: CommandBody['position'];
  }[];
  next?: string;
}

export const cloudDev = { environment: 'cloud-dev' };
export const cloudDebug = { environment: 'cloud-debug' };

/** A user of whom the ledger has not heard. */
export function newUser(): string {
  return `user-${randomUUID()}`;
}

/** What has to be said of a refusal: status, code and whose session is current. */
export function refusal({ status, body }: Reply<ProblemBody>) {
  return { status, type: body.type, current: body.current?.sessionId };
}
