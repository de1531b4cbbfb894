import { Kafka, logLevel } from 'kafkajs';
import type { SessionView } from '#api/schemas';
import { Follower, Gap, LedgerClient, type SessionInEvent } from '#client';
import { kafkaSource } from '#client/kafka';
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

/** Hears of sessions over Kafka only; to stop it rejects when Kafka lacked an event. */
export function kafkaApp(url: string, topic: string, userId: string): App {
  const gaps: Gap[] = [];
  const app: App = {
    ended: [],
    current: [],
    async stop() {
      await follower.stop();
      if (gaps[0]) throw gaps[0];
    },
  };
  const saw = (session: SessionInEvent | undefined) => {
    if (session?.scope.userId !== userId) return;
    if (session.status === 'ended') app.ended.push(session.sessionId);
    else if (app.current.at(-1) !== session.sessionId) app.current.push(session.sessionId);
  };
  const brokers = (process.env.TEST_KAFKA_BROKERS ?? '').split(',');
  const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
  const follower = new Follower({
    ledger: new LedgerClient({ url }),
    source: kafkaSource({ kafka, topic }),
    from: 'beginning',
    lookMs: 3_600_000, // or the feed would help
    onEvents(events) {
      for (const { previous, session } of events) [previous, session].forEach(saw);
    },
    onTrouble(error) {
      if (error instanceof Gap) gaps.push(error);
    },
    onStopped: () => {}, // what it then misses is missed by its test
  });
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
