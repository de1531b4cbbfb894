import { setTimeout as pause } from 'node:timers/promises';
import { backUp } from '../support/database.js';
import { ask } from '../support/http.js';
import { readFeed, readLog } from './reading-log.js';
import { Recorder } from './recorder.js';
import { mirrors } from './rules/mirrors.js';
import { startClients } from './running/run.js';
import { settleUnknown } from './running/settling.js';
import { openWorld, type World } from './running/world.js';
import { readSettings } from './settings.js';
import { verdict } from './verdict.js';

let world: World;
beforeAll(async () => {
  world = await openWorld(4, () => undefined);
}, 120_000);
afterAll(() => world.close());

const addresses = () => world.replicas.map(({ front }) => `http://${front.address}`);

/** Clients send for a while, and each gets its last answer. */
async function sending(team: string, recorder: Recorder, ms: number): Promise<void> {
  const clients = startClients(world, readSettings({ CHECKER_PARTITIONS: '4' }), recorder, team);
  await pause(ms);
  await clients.stop();
}

test('after a restore the answers are true of the restored log and what came after, and no feed has anything else', async () => {
  const recorder = new Recorder(addresses());
  await sending('before', recorder, 4_000);
  await settleUnknown(recorder, world.replicas.length);
  const backup = await backUp(world.databaseUrl);
  // What is sent now is lost, and whatever was answered is nothing to hold anybody to.
  const lost = new Recorder(addresses());
  await sending('lost', lost, 4_000);
  expect(lost.operations.filter(({ answer }) => answer?.position).length).toBeGreaterThan(50);
  await backup.restore();
  const known = recorder.operations.length;
  await sending('after', recorder, 6_000);
  await settleUnknown(recorder, world.replicas.length);

  const log = await readTable();
  expect(verdict(recorder.operations, log).map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
  const later = recorder.operations.slice(known).filter(({ answer }) => answer?.position);
  expect(later.length).toBeGreaterThan(50);
  const { log: still, feeds, heads } = await readWhileStill();
  for (const feed of feeds) expect(mirrors(still, feed)).toEqual([]);
  for (const told of heads) expect(told).toEqual(lengthsOf(still));
}, 180_000);

type Log = Awaited<ReturnType<typeof readLog>>;
const readTable = () => world.withClient((client) => readLog(client, world.partitions));
const lengthsOf = ({ partitions }: Log) => partitions.map((events) => events.length);

/** The log, and what each replica says of it, while nothing was appended: leases that nobody renews end by themselves. */
async function readWhileStill() {
  for (;;) {
    const log = await readTable();
    const [feeds, heads] = [[], []] as [Awaited<ReturnType<typeof readFeed>>[], number[][]];
    for (const [index, { service }] of world.replicas.entries()) {
      feeds.push(await readFeed(service.url, `the feed of replica ${index}`, world.partitions));
      const { body } = await ask<{ ledger: { heads: number[] } }>(`${service.url}/v1/stats?limit=1`);
      heads.push(body.ledger.heads);
    }
    if (String(lengthsOf(await readTable())) === String(lengthsOf(log))) return { log, feeds, heads };
  }
}
