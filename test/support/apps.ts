import { followKafka } from '#broker';
import type { SessionView } from '#contracts';
import { ask } from './http.js';
import type { ProblemBody } from './sessions.js';

/** An app that keeps up with a user's sessions, and what it saw. */
export interface App {
  /** Ids of the sessions that it saw end, in order: one that it saw twice is here twice. */
  ended: string[];
  /** Ids of the sessions that were current, in order. */
  current: string[];
  stop(): Promise<void>;
}

/** The sessions that an event carries. */
interface Carried {
  session?: SessionView;
  previous?: SessionView;
}

/** Hears of sessions over Kafka only. */
export async function kafkaApp(topic: string, userId: string): Promise<App> {
  const app: App = { ended: [], current: [], stop: () => follower.stop() };
  const brokers = (process.env.TEST_KAFKA_BROKERS ?? '').split(',');
  const follower = followKafka({
    brokers,
    topic,
    from: 'beginning',
    onEvents(events) {
      for (const { bytes } of events) {
        const { data } = JSON.parse(bytes.toString()) as { data: Carried };
        for (const session of [data.previous, data.session]) {
          if (session?.scope.userId !== userId) continue;
          if (session.status === 'ended') app.ended.push(session.sessionId);
          else if (app.current.at(-1) !== session.sessionId) app.current.push(session.sessionId);
        }
      }
    },
    onGap(gap) {
      throw new Error(`events are missing: ${JSON.stringify(gap)}`);
    },
  });
  await follower.ready;
  return app;
}

/** Asks over REST only: for the current session, until that changes, and then for what became of the last one. */
export function restApp(url: string, userId: string, projectId: string): App {
  let isOver = false;
  const app: App = {
    ended: [],
    current: [],
    async stop() {
      isOver = true;
      await watching;
    },
  };
  const scope = `userId=${userId}&projectId=${encodeURIComponent(projectId)}`;
  const look = async (after: number): Promise<number> => {
    const address = `${url}/v1/current?${scope}&wait=1&after=${after}`;
    const { status, body } = await ask<SessionView | ProblemBody>(address);
    if (status === 304) return after;
    const isCurrent = 'sessionId' in body;
    const seen = isCurrent ? body : body.last;
    const before = app.current.at(-1);
    if (before && before !== seen?.sessionId) {
      const { body: old } = await ask<SessionView>(`${url}/v1/sessions/${before}`);
      if (old.status === 'ended') app.ended.push(before);
    }
    if (!isCurrent && seen) app.ended.push(seen.sessionId);
    if (isCurrent && before !== body.sessionId) app.current.push(body.sessionId);
    return seen?.revision ?? after;
  };
  const watching = (async () => {
    let revision = 0;
    while (!isOver) {
      // A ledger that restarts is asked again.
      revision = await look(revision).catch(async () => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        return revision;
      });
    }
  })();
  return app;
}
