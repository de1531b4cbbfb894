import type { SessionView } from '#api/schemas';

/** A session as events carry it: attributes stand beside the log, not in it. */
export type SessionInEvent = Omit<SessionView, 'attributes'>;
type Owner = NonNullable<SessionView['owner']>;

/** What a cloud is told to do. It names no session: which one is meant, a cloud knows from its own answers. */
export type Order =
  | { do: 'start' }
  | { do: 'stop' }
  | { do: 'release'; to: string; seconds: number }
  | { do: 'claim' }
  | { do: 'look' }
  | { do: 'history' };

/** A CloudEvent of the ledger, as far as the demo reads it. */
export interface EventDocument {
  /** `partition:sequence` */
  id: string;
  type: string;
  subject: string;
  data: {
    version: number;
    session?: SessionInEvent;
    by?: Owner;
    sessionId?: string;
    origin?: Owner;
    epoch?: number;
    why?: string;
  };
  /** In a scope's history: how often an ignored stop was asked for. */
  ignoredstops?: number;
}

/** What a cloud got over HTTP. */
export interface Answer {
  kind: 'answer';
  who: string;
  /** Milliseconds since 1970, when it asked: what events then tell comes after. */
  at: number;
  did: Order['do'];
  /** What the request named, where it named a session. */
  asked?: { sessionId: string; epoch: number };
  status: number;
  /** `started`, `ended` …, or the code of the problem. */
  outcome: string;
  /** The session that the answer is about. */
  session?: SessionInEvent;
  /** With a refusal: the one that is current. */
  current?: SessionInEvent;
  /** With `reserved`: when that is over. */
  until?: string;
  history?: EventDocument[];
}

/** What the app got from Kafka, or from the feed. */
export interface Seen {
  kind: 'event';
  who: string;
  at: number;
  /** `SessionStarted` … */
  type: string;
  /** `partition:sequence` */
  position: string;
  event: EventDocument['data'];
}

/** What the app takes for current, having seen nothing but events. */
interface View {
  kind: 'view';
  who: string;
  at: number;
  session?: SessionInEvent;
}

/** A process cannot do its part; `why` is one line for the user. */
interface Failure {
  kind: 'failure';
  why: string;
}

/** The app has joined: later events reach it. */
interface Ready {
  kind: 'ready';
}

export type Fact = Answer | Seen | View;
export type Said = Fact | Failure | Ready;

/** The session that an event is about. */
export function sessionIdOf({ event }: Pick<Seen, 'event'>): string | undefined {
  return event.session?.sessionId ?? event.sessionId;
}

/** What the processes got, by where in the story it was. */
export interface Facts {
  started: Answer;
  tookOver: Answer;
  stops: Answer[];
  afterStops: Answer;
  released: Answer;
  intruded: Answer;
  claimed: Answer;
  last: Answer;
  history: Answer;
  seen: Seen[];
  view: View;
}
