import { fileURLToPath } from 'node:url';
import type { SessionView } from '#api/schemas';
import { ask } from '../support/http.js';
import { type NodeProcess, spawnNode } from '../support/process.js';
import { startService } from '../support/service.js';
import {
  type ChainBody,
  type CommandBody,
  cloudDev,
  newUser,
  type TransitionsBody,
} from '../support/sessions.js';

// Eight workers rotate the session of one project at once, two of them with slow metadata in flight, and the
// ledger is killed meanwhile. Scenario 4, "concurrent".
const ROTATIONS = 500;
const PROJECT = 'site.example/home';
const rotator = fileURLToPath(new URL('../support/processes/rotator.js', import.meta.url));

/** All pages of an address, the oldest item first. */
async function pagesOf<Page extends { next?: string }, Item>(address: string, items: (page: Page) => Item[]) {
  const found: Item[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: Page = (await ask<Page>(`${address}&limit=200${after && `&after=${after}`}`)).body;
    found.push(...items(page));
    after = page.next;
  }
  return found.reverse();
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

  // One chain: each session followed the one before it, which names it.
  const of = (what: string) =>
    `${service.url}/v1/${what}?userId=${userId}&projectId=${encodeURIComponent(PROJECT)}`;
  const positions = said(workers, 'won').map(([, , , position = '']) => position.split(':').map(Number));
  const [partition] = positions[0]!;
  const atLeast = `&atLeast=${partition}:${Math.max(...positions.map(([, sequence = 0]) => sequence))}`;
  const chain = await pagesOf<ChainBody, SessionView>(of('chain') + atLeast, (page) => page.sessions);
  expect(chain.map(({ chainLength }) => chainLength)).toEqual(chain.map((_, index) => index + 1));
  expect(chain).toHaveLength(ROTATIONS + 1);
  for (const [index, { rootId, parentId, epoch, successorId }] of chain.entries()) {
    const [before, after] = [chain[index - 1], chain[index + 1]];
    expect([rootId, parentId, successorId]).toEqual([first.sessionId, before?.sessionId, after?.sessionId]);
    expect(epoch).toBe(index === ROTATIONS ? ROTATIONS + 1 : index + 2); // an end raises it, too
  }
  const tip = chain.at(-1) as SessionView;
  expect((await ask<SessionView>(of('current'))).body.sessionId).toBe(tip.sessionId);

  // No other session ever was: the audit has the start and these rotations, in their order.
  const transitions = await pagesOf(of('transitions') + atLeast, (page: TransitionsBody) => page.transitions);
  expect(transitions.map(({ source, from, to, versionId }) => [source, from, to, versionId])).toEqual(
    chain.map(({ sessionId, parentId, versionId }) => [
      parentId === undefined ? 'started' : 'rotated',
      ...[parentId, sessionId, versionId],
    ]),
  );
  // Each version is answered by the session that won it.
  const { sessionId, versionId } = chain[ROTATIONS / 2]!;
  const ofVersion = await ask<ChainBody>(`${of('sessions')}${atLeast}&versionId=${versionId}`);
  expect(ofVersion.body.sessions.map((session) => session.sessionId)).toEqual([sessionId]);
  // Every operation that won is paid once, whoever asked again; those that lost are not.
  const usage = { operations: ROTATIONS, outputTokens: 3 * ROTATIONS, cost: { EUR: '0.5' } };
  expect((await ask(of('usage') + atLeast)).body).toMatchObject({ usage });
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

  // In the end all hold what is current.
  const { sync } = (await ask<{ sync: object }>(`${service.url}/v1/stats`)).body;
  expect(sync).toMatchObject({ inSync: 8, outOfSync: 0, unknown: 0, rate: 1, list: [] });
  expect(service.process.errors).toEqual([]);
}, 180_000);
