// Appends events with Emmett's Postgres store, each to a stream of its own choice, in a process of its own.
import { randomUUID } from 'node:crypto';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';

const [url, scopes, eventBytes] = process.argv.slice(2);
const store = getPostgreSQLEventStore(url);
await store.schema.migrate();
const TRIES = 5;
const data = { session: 'x'.repeat(Number(eventBytes)) };

async function append() {
  const stream = `session:${Math.floor(Math.random() * Number(scopes))}`;
  const event = { type: 'SessionStarted', data: { ...data, sessionId: randomUUID() } };
  for (let tries = 1; ; tries++) {
    try {
      await store.appendToStream(stream, [event]);
      return;
    } catch (error) {
      // Of two who begin a stream at once it refuses one, though no version was expected: that one asks again.
      if (tries === TRIES || !String(error).includes('NO_CONCURRENCY_CHECK')) throw error;
    }
  }
}

async function turn({ callers, ms }) {
  const latencies = [];
  const until = performance.now() + ms;
  const loop = async () => {
    for (let now = performance.now(); now < until; ) {
      await append();
      const after = performance.now();
      if (after < until) latencies.push(after - now);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: callers }, loop));
  return latencies;
}

process.on('message', (order) => {
  turn(order).then(
    (latencies) => process.send({ latencies }),
    (error) => process.send({ latencies: [], failure: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send('ready');
