import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Frontier, leafHash } from '#audit';
import { auditLog, LedgerClient, verifyCheckpoint, verifyEvent } from '#client';
import { openPool } from '#postgres';
import { spawnNode } from '../support/process.js';
import { freshDatabase, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';

// What somebody can do who owns the database, and the signing key as well: who holds an old checkpoint, an event or the
// topic finds it out, and where.

const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const ORIGIN = 'ledger.example.com';
const EVENTS = 999;

async function run(args: string[], env: NodeJS.ProcessEnv) {
  const process = spawnNode(cli, { args, env: { LEDGER_URL: 'http://127.0.0.1:1', ...env } });
  const { code } = await process.exited;
  return { code, out: process.lines.join('\n'), errors: process.errors.join('\n') };
}

/** A ledger of 999 events in one partition, a directory in which its checkpoint is watched, and its owner's connection. */
async function watchedLedger() {
  const directory = mkdtempSync(join(tmpdir(), 'ledger-tampering-'));
  const file = join(directory, 'audit.key');
  const made = await run(['audit', 'keygen', '--origin', ORIGIN, '-o', file, '--json'], {});
  const key = JSON.parse(made.out).key as string;
  const databaseUrl = await freshDatabase();
  const env = { LEDGER_PARTITIONS: '1', LEDGER_ORIGIN: ORIGIN, LEDGER_AUDIT_KEY_FILE: file };
  const service = await startService({ databaseUrl, env });
  const ledger = new LedgerClient({ url: service.url });
  const command = { operation: 'startSession', body: { userId: newUser(), owner: cloudDev } };
  await ledger.call('sendCommands', { body: { commands: Array(500).fill(command) } as never });
  const log = auditLog(ledger);
  const proofs = new Map<number, string>();
  for (const sequence of [300, 301, EVENTS]) proofs.set(sequence, await log.proof(`0:${sequence}`));
  const owner = openPool({ url: databaseUrl }, 1);
  const events = await owner.query('select sequence::int, bytes from ledger.events order by sequence');
  const bytes = new Map<number, Buffer>(events.rows.map((row) => [row.sequence, row.bytes]));
  const watch = () =>
    run(['audit', 'watch', '--dir', join(directory, 'kept'), '--key', key, '--once'], {
      LEDGER_URL: service.url,
    });
  expect(await watch()).toMatchObject({ code: 0 });
  return {
    key,
    log,
    proofs,
    bytes,
    watch,
    directory,
    restart: () => service.restart(),
    verify: () => run(['verify'], { DATABASE_URL: databaseUrl }),
    /** As who owns the tables, and lets no trigger keep him from it. */
    async tamper(sql: string, values: unknown[] = []) {
      await owner.query("set session_replication_role = 'replica'");
      await owner.query(sql, values);
      await owner.query("set session_replication_role = 'origin'");
    },
    /** The event as the ledger serves it now. */
    served: async (sequence: number) => {
      const { events } = await ledger.call('feed', {
        query: { partition: 0, after: sequence - 1, limit: 1 },
      });
      return JSON.stringify(events[0]);
    },
    /** All trees as the events are now, so that the ledger agrees with itself. */
    async coverUp() {
      const { rows } = await owner.query('select bytes from ledger.events order by sequence');
      const tree = Frontier.empty.append(rows.map((row) => leafHash(row.bytes)));
      await this.tamper('delete from ledger.tiles');
      await this.tamper('update ledger.heads set sequence = $1, frontier = $2', [
        rows.length,
        tree.toBytes(),
      ]);
      await service.restart();
    },
    async end() {
      await owner.end();
      await service.stop();
    },
  };
}

let it: Awaited<ReturnType<typeof watchedLedger>>;
beforeEach(async () => {
  it = await watchedLedger();
}, 60_000);
afterEach(() => it.end());

const EDIT = `update ledger.events set bytes = convert_to(replace(convert_from(bytes, 'UTF8'), $2, $3), 'UTF8') where sequence = $1`;
const BACK_DATE = [300, '"time":"20', '"time":"19'];

test('an event that was edited is told by its position, and has no proof any more', async () => {
  await it.tamper(EDIT, [300, '"cloud-dev"', '"cloud-def"']);
  expect(await it.verify()).toMatchObject({
    code: 4,
    out: expect.stringContaining('event 0:300 is not what it was'),
  });
  await it.restart();
  const proof = it.proofs.get(300)!;
  const shown = verifyEvent({ event: await it.served(300), proof, keys: [it.key] });
  await expect(shown).rejects.toThrow('0:300: this event is not the one that the log has there');
  // Who has it from the topic, or from before, proves it as ever.
  await verifyEvent({ event: it.bytes.get(300)!, proof: await it.log.proof('0:300'), keys: [it.key] });
});

test('an event that was dated back is told by its position', async () => {
  await it.tamper(EDIT, BACK_DATE);
  expect(await it.verify()).toMatchObject({
    code: 4,
    out: expect.stringContaining('event 0:300 is not what it was'),
  });
});

test('an edit with all trees made anew and signed is found by who holds an old checkpoint', async () => {
  await it.tamper(EDIT, BACK_DATE);
  await it.coverUp();
  const found = await it.watch();
  expect(found.code).toBe(4);
  expect(found.errors).toContain(
    `partition 0: inconsistent: partition 0: something at or before 0:${EVENTS}`,
  );
  // Both checkpoints are signed by the ledger: that is the evidence.
  const kept = readFileSync(join(it.directory, 'kept', '0.checkpoint'), 'utf8');
  const other = readFileSync(join(it.directory, 'kept', '0.conflict'), 'utf8');
  const [one, two] = [await verifyCheckpoint(kept, [it.key]), await verifyCheckpoint(other, [it.key])];
  expect([one.size, two.size, Buffer.from(one.root).equals(Buffer.from(two.root))]).toEqual([
    EVENTS,
    EVENTS,
    false,
  ]);
  // And who holds the event itself finds which: the ledger cannot prove it any more.
  const proof = verifyEvent({
    event: it.bytes.get(300)!,
    proof: await it.log.proof('0:300'),
    keys: [it.key],
  });
  await expect(proof).rejects.toThrow('0:300: this event is not the one that the log has there');
  await verifyEvent({ event: it.bytes.get(301)!, proof: await it.log.proof('0:301'), keys: [it.key] });
});

test('an event that was taken out of the middle is told by its position', async () => {
  await it.tamper('delete from ledger.events where sequence = 300');
  expect(await it.verify()).toMatchObject({
    code: 4,
    out: expect.stringContaining('301 stands where 300 should'),
  });
});

test('two events that changed places are told by the first position', async () => {
  await it.tamper(`update ledger.events e set bytes = o.bytes from ledger.events o
    where (e.sequence, o.sequence) in ((300, 301), (301, 300))`);
  expect(await it.verify()).toMatchObject({
    code: 4,
    out: expect.stringContaining('event 0:300 is not what it was'),
  });
});

test('a log that was cut is found by who holds a checkpoint', async () => {
  await it.tamper('delete from ledger.events where sequence > 800');
  await it.coverUp();
  const found = await it.watch();
  expect(found).toMatchObject({
    code: 4,
    errors: expect.stringContaining(`shrunk: partition 0 had ${EVENTS} events, and has 800`),
  });
});

test('a log with another end is found by who holds a checkpoint, or an event', async () => {
  await it.tamper(EDIT, [EVENTS, '"cloud-dev"', '"cloud-def"']);
  await it.coverUp();
  expect(await it.watch()).toMatchObject({ code: 4, errors: expect.stringContaining('inconsistent') });
  const proof = verifyEvent({
    event: it.bytes.get(EVENTS)!,
    proof: await it.log.proof(`0:${EVENTS}`),
    keys: [it.key],
  });
  await expect(proof).rejects.toThrow(`0:${EVENTS}: this event is not the one`);
});

test('a tile that was changed is told, and proves nothing', async () => {
  await it.tamper(
    `update ledger.tiles set hashes = set_byte(hashes, 43 * 32, 255 - get_byte(hashes, 43 * 32)) where level = 0 and index = 1`,
  );
  const found = await it.verify();
  expect(found).toMatchObject({
    code: 4,
    out: expect.stringContaining('event 0:300 is not what it was when it was hashed: it, or its tile'),
  });
  expect(found.out).toContain('the root of tile 0/1 is not that of its hashes');
  const proof = verifyEvent({
    event: it.bytes.get(301)!,
    proof: await it.log.proof('0:301'),
    keys: [it.key],
  });
  await expect(proof).rejects.toMatchObject({ fault: 'not-included' });
});

test('a tile that was taken out is told, and made again for who asks for a proof', async () => {
  await it.tamper('delete from ledger.tiles where level = 0 and index = 1');
  const found = await it.verify();
  expect(found).toMatchObject({ code: 4, out: expect.stringContaining('tile 0/1 was taken out') });
  await verifyEvent({ event: it.bytes.get(300)!, proof: await it.log.proof('0:300'), keys: [it.key] });
  expect(await it.verify()).toMatchObject({ code: 0 });
});

test('a proof of a log that is not whole is refused, and says so', async () => {
  await it.tamper('delete from ledger.tiles');
  await it.tamper('delete from ledger.events where sequence = 300');
  await expect(it.log.proof('0:301')).rejects.toThrow('events are missing from 0:257 on');
});

test('a ledger that tells of fewer partitions than were watched is found out', async () => {
  writeFileSync(
    join(it.directory, 'kept', '1.checkpoint'),
    readFileSync(join(it.directory, 'kept', '0.checkpoint')),
  );
  const found = await it.watch();
  expect(found).toMatchObject({
    code: 4,
    errors: expect.stringContaining('partition 1: shrunk: the ledger reports only 1 partitions'),
  });
});

test('a checkpoint that was changed is not signed any more', async () => {
  const kept = join(it.directory, 'kept', '0.checkpoint');
  writeFileSync(kept, readFileSync(kept, 'utf8').replace(`\n${EVENTS}\n`, '\n500\n'));
  expect(await it.watch()).toMatchObject({ code: 4, errors: expect.stringContaining('bad-signature') });
});
