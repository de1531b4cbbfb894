/** A process of the demo: the app's server. It hears of sessions from events only. */
import { fail, now, onLeave, onOrder, say, setUp } from './child.js';
import type { EventDocument, SessionInEvent } from './facts.js';
import { type Following, followFeed, followTopic, type Topic } from './follow.js';

export interface FollowerSetup {
  who: string;
  url: string;
  kafka?: Topic;
  userId: string;
  projectId: string;
}

const { who, url, kafka, userId, projectId } = setUp<FollowerSetup>();
/** How the subject of this app's events ends: the tenant, which comes first, is the ledger's affair. */
const scope = `/${userId}/${projectId}`;
let current: SessionInEvent | undefined;

function take(event: EventDocument): void {
  if (!event.subject.endsWith(scope)) return;
  const type = /^session-ledger\.(\w+)\.v\d+$/.exec(event.type)?.[1] ?? event.type;
  const { session } = event.data;
  if (session) current = session.status === 'ended' ? undefined : session;
  say({ kind: 'event', who, at: now(), type, position: event.id, event: event.data });
}

let following: Following | undefined;
onLeave(async () => following?.stop());
onOrder<{ do: 'look' }>(async () =>
  say({ kind: 'view', who, at: now(), ...(current && { session: current }) }),
);
try {
  following = await (kafka ? followTopic(url, kafka, take, fail) : followFeed(url, take, fail));
  say({ kind: 'ready' });
} catch (error) {
  fail(error);
}
