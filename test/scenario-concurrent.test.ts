import { fileURLToPath } from 'node:url';
import type { SessionView } from '#contracts';
import { ask } from './support/http.js';
import { type NodeProcess, spawnNode } from './support/process.js';
import { startService } from './support/service.js';
import { type CommandBody, cloudDev, type EventsBody, newUser } from './support/sessions.js';

// Eight workers rotate the session of one project at once, two of them with slow metadata in flight, and the
// ledger is killed meanwhile. Scenario 4, "concurrent".
const ROTATIONS = 500;
const PROJECT = 'site.example/home';
const rotator = fileURLToPath(new URL('./support/rotator.js', import.meta.url));

/** The scope's events, page after page. */
async function eventsOf(url: string, userId: string): Promise<EventsBody['events']> {
  const events: EventsBody['events'] = [];
  for (let after: number | undefined = 0; after !== undefined; ) {
    const query = `userId=${userId}&projectId=${encodeURIComponent(PROJECT)}&limit=500&after=${after}`;
    const page: EventsBody = (await ask<EventsBody>(`${url}/v1/events?${query}`)).body;
    events.push(...page.events);
    after = page.next;
  }
  return events;
}

/** What the workers printed under a word, each line in its parts. */
const said = (workers: NodeProcess[], word: string) =>
  workers.flatMap(({ lines }) => lines.map((line) => line.split(' ')).filter(([first]) => first === word));

test('500 rotations by 8 workers are one chain, and every loser is told who won', async () => {
  const service = await startService();
  const userId = newUser();
  const body = { userId, projectId: PROJECT, owner: cloudDev };
  const first = (await ask<CommandBody>(`${service.url}/v1/sessions`, { body })).body.session;

  const workers = Array.from({ length: 8 }, (_, index) => {
    const [reason, operationMs] = index < 2 ? ['metadata_generation', '40'] : ['build', '1'];
    const name = `worker-${index}`;
    const project = encodeURIComponent(PROJECT);
    return spawnNode(rotator, {
      args: [service.url, userId, project, name, reason, operationMs, `${ROTATIONS + 1}`],
    });
  });
  await workers[0]!.waitForLine(/^(won|lost) /, 30_000);
  await service.restart();
  await Promise.all(workers.map((worker) => worker.waitForLine(/^done$/, 120_000)));
  const ends = await Promise.all(workers.map(({ exited }) => exited));
  expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null })));

  // One chain: each event rotates the session that the one before it made.
  const [start, ...rotations] = (await eventsOf(service.url, userId)).map(({ type, data }) => ({
    type,
    data,
  }));
  expect(start?.type).toBe('session-ledger.SessionStarted.v1');
  expect(rotations).toHaveLength(ROTATIONS);
  const chain: SessionView[] = [first];
  for (const { type, data } of rotations) {
    const { previous, session } = data as { previous: SessionView; session: SessionView };
    const tip = chain.at(-1) as SessionView;
    expect([type, previous.sessionId, previous.successorId, session.parentId]).toEqual([
      'session-ledger.SessionRotated.v1',
      tip.sessionId,
      session.sessionId,
      tip.sessionId,
    ]);
    expect([session.rootId, session.chainLength, session.epoch]).toEqual([
      first.sessionId,
      chain.length + 1,
      tip.epoch + 1,
    ]);
    chain.push(session);
  }
  const address = `${service.url}/v1/current?userId=${userId}&projectId=${encodeURIComponent(PROJECT)}`;
  expect((await ask<SessionView>(address)).body.sessionId).toBe(chain.at(-1)?.sessionId);

  // Whoever won is in it, once; whoever asked again got the same successor.
  const links = chain.slice(1).map(({ parentId, sessionId }) => `${parentId} ${sessionId}`);
  const won = said(workers, 'won').map(([, from, to]) => `${from} ${to}`);
  expect(won.sort()).toEqual(links.sort());
  for (const [, successor, outcome, got] of said(workers, 'again'))
    expect([outcome, got]).toEqual(['already-rotated', successor]);

  // Whoever lost was told of a session that had followed the one it knew.
  const place = new Map(chain.map(({ sessionId }, index) => [sessionId, index]));
  const lost = said(workers, 'lost');
  expect(lost.length).toBeGreaterThan(0);
  for (const [, from = '', type, winner = ''] of lost) {
    expect(type).toBe('/problems/stale-session');
    expect(place.get(winner)).toBeGreaterThan(place.get(from) as number);
  }
  // The slow ones lose first, and rotate from there.
  expect(said(workers.slice(0, 2), 'lost')).not.toEqual([]);
  expect(said(workers.slice(0, 2), 'won')).not.toEqual([]);
  expect(service.process.errors).toEqual([]);
}, 180_000);
