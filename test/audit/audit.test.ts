import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { archive } from '#archive';
import { parseSigningKey, verifierOf } from '#audit';
import { auditLog, LedgerClient, verifyCheckpoint, verifyConsistency, verifyEvent } from '#client';
import { openPool } from '#postgres';
import { cosignedText, noteText, parseNote, parseTlogProof, tlogProofText } from '#tlog';
import { grownFrom } from '../../apps/cli/commands/audit/trust.js';
import { spawnNode } from '../support/process.js';
import {
  environment,
  freshDatabase,
  freshTopic,
  type Service,
  spawnService,
  startService,
} from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';

const { until } = within(20_000);
const cli = fileURLToPath(new URL('../../dist/apps/cli/main.js', import.meta.url));
const ORIGIN = 'ledger.example.com';
const root = fileURLToPath(new URL('../..', import.meta.url));
const topic = freshTopic();
const directory = mkdtempSync(join(tmpdir(), 'ledger-audit-'));
const at = (file: string) => join(directory, file);

let service: Service;
let ledger: LedgerClient;
let key = '';

async function run(...args: string[]) {
  const process = spawnNode(cli, {
    args: ['audit', ...args],
    env: { LEDGER_URL: service?.url ?? 'http://127.0.0.1:1' },
  });
  const { code } = await process.exited;
  return { code, out: process.lines.join('\n'), errors: process.errors.join('\n') };
}

/** Starts as many sessions, two events each but for the first, of one user. */
async function write(count: number, userId = newUser()) {
  for (let left = count; left > 0; left -= 500) {
    const body = { userId, owner: cloudDev };
    const commands = Array.from({ length: Math.min(500, left) }, () => ({ operation: 'startSession', body }));
    await ledger.call('sendCommands', { body: { commands } as never }, { deadlineMs: 60_000 });
  }
  return userId;
}

const bytesOf = async (sequence: number) => {
  const { text } = await fetch(`${service.url}/v1/feed?partition=0&after=${sequence - 1}&limit=1`).then(
    async (answer) => ({
      text: await answer.text(),
    }),
  );
  // The very bytes, as they stand in the page.
  return text.slice('{"events":['.length, text.lastIndexOf(']'));
};

beforeAll(async () => {
  const made = await run('keygen', '--origin', ORIGIN, '-o', at('audit.key'), '--json');
  key = JSON.parse(made.out).key;
  service = await startService({
    kafkaBrokers: process.env.TEST_KAFKA_BROKERS ?? '',
    topic,
    env: { LEDGER_PARTITIONS: '1', LEDGER_ORIGIN: ORIGIN, LEDGER_AUDIT_KEY_FILE: at('audit.key') },
  });
  ledger = new LedgerClient({ url: service.url });
  await write(400); // 799 events: three full tiles
}, 60_000);

describe('an event', () => {
  test('is proven by what the ledger answers, without asking it again', async () => {
    for (const sequence of [1, 2, 255, 256, 257, 512, 513, 799]) {
      const proof = await auditLog(ledger).proof(`0:${sequence}`);
      const verified = await verifyEvent({ event: await bytesOf(sequence), proof, keys: [key] });
      expect(verified).toMatchObject({ partition: 0, sequence, checkpoint: { origin: `${ORIGIN}/0` } });
    }
  });

  test('that was just written is in the checkpoint of its proof', async () => {
    const { position } = await ledger.call('startSession', { body: { userId: newUser(), owner: cloudDev } });
    const proof = await auditLog(ledger).proof(`0:${position.sequence}`);
    await verifyEvent({ event: await bytesOf(position.sequence), proof, keys: [key] });
  });

  test.each<
    [string, string, (proof: string, event: string) => { proof?: string; event?: string; keys?: string[] }]
  >([
    ['changed', 'not-included', (_, event) => ({ event: event.replace('"cloud-dev"', '"cloud-def"') })],
    ['with a blank more', 'not-included', (_, event) => ({ event: `${event} ` })],
    ['of another place', 'not-included', (proof) => ({ proof: proof.replace('index 299', 'index 298') })],
    ['with two hashes exchanged', 'not-included', (proof) => ({ proof: exchanged(proof) })],
    ['with a hash less', 'not-included', (proof) => ({ proof: shortened(proof) })],
    ['cut', 'malformed', (proof) => ({ proof: proof.slice(0, -20) })],
    [
      'whose checkpoint has another size',
      'bad-signature',
      (proof) => ({ proof: proof.replace(/^(ledger.*\/0)\n\d+$/m, '$1\n900') }),
    ],
    ['without a signature', 'unknown-key', (proof) => ({ proof: proof.replace(/— .*\n/, '') })],
    [
      'for another key',
      'unknown-key',
      () => ({ keys: ['PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'] }),
    ],
    ['for a key that is none', 'malformed', () => ({ keys: [key.slice(0, -8)] })],
    ['for no key', 'unknown-key', () => ({ keys: [] })],
  ])('is not proven by a proof that is %s', async (_, fault, change) => {
    const [proof, event] = [await auditLog(ledger).proof('0:300'), await bytesOf(300)];
    const changed = { event, proof, keys: [key], ...change(proof, event) };
    await expect(verifyEvent(changed)).rejects.toMatchObject({ name: 'TlogError', fault });
  });
});

function exchanged(proof: string): string {
  const { index, hashes, checkpoint } = parseTlogProof(proof);
  const [first, second, ...rest] = hashes;
  return tlogProofText({ index, hashes: [second!, first!, ...rest], checkpoint });
}

function shortened(proof: string): string {
  const { hashes, ...rest } = parseTlogProof(proof);
  return tlogProofText({ ...rest, hashes: hashes.slice(1) });
}

test('a record in Kafka is proven as docs/audit.md has it', async () => {
  const page = readFileSync(join(root, 'docs/audit.md'), 'utf8');
  const [, walk = ''] = /^```js\n([\s\S]*?)^```$/m.exec(page) ?? [];
  // Where the package is found that it imports.
  const script = join(root, `dist/audit-walk-${process.pid}.mjs`);
  writeFileSync(script, walk.replace('@session-ledger/client', '#client'));
  const walking = spawnNode(script, {
    env: { KAFKA: process.env.TEST_KAFKA_BROKERS, TOPIC: topic, LEDGER_URL: service.url, KEY: key },
  });
  await walking.waitForLine(/^0:256 stands in ledger\.example\.com\/0, of \d+ events$/, 30_000);
  await walking.kill();
  rmSync(script);
}, 60_000);

describe('a checkpoint', () => {
  test('stands at three addresses, and is signed', async () => {
    const log = auditLog(ledger);
    const [one] = await log.checkpoints();
    expect(await log.checkpoint(0)).toBe(one);
    const tiled = await fetch(`${service.url}/v1/audit/0/checkpoint`);
    expect([
      await tiled.text(),
      tiled.headers.get('content-type'),
      tiled.headers.get('cache-control'),
    ]).toEqual([one, 'text/plain; charset=utf-8', 'no-store']);
    expect(await verifyCheckpoint(one!, [key])).toMatchObject({ partition: 0, signedBy: [ORIGIN] });
  });

  test('is at most a second old', async () => {
    const before = await verifyCheckpoint(await auditLog(ledger).checkpoint(0), [key]);
    await write(10);
    await until(async () => {
      const { size } = await verifyCheckpoint(await auditLog(ledger).checkpoint(0), [key]);
      return size >= before.size + 19;
    }, 1_000);
  });

  test('is proven to have grown from every earlier one', async () => {
    const log = auditLog(ledger);
    const before = await log.checkpoint(0);
    await write(200);
    await until(async () => (await log.checkpoint(0)) !== before);
    const after = await log.checkpoint(0);
    const [from, to] = await Promise.all(
      [before, after].map(async (note) => (await verifyCheckpoint(note, [key])).size),
    );
    const hashes = await log.consistency(0, from!, to!);
    expect(await verifyConsistency({ before, after, hashes, keys: [key] })).toMatchObject({
      before: { size: from },
      after: { size: to },
    });
    const shrunk = verifyConsistency({ before: after, after: before, hashes, keys: [key] });
    await expect(shrunk).rejects.toMatchObject({ fault: 'shrunk' });
    const wrong = verifyConsistency({ before, after, hashes: hashes.toReversed(), keys: [key] });
    await expect(wrong).rejects.toMatchObject({ fault: 'inconsistent' });
    expect([await log.consistency(0, 0, to!), await log.consistency(0, to!, to!)]).toEqual([[], []]);
  });

  test('of another log is refused, though the same key has signed it', async () => {
    const signer = parseSigningKey(readFileSync(at('audit.key'), 'utf8'));
    const { text } = parseNote(await auditLog(ledger).checkpoint(0));
    const signed = (origin: string) => {
      const other = text.replace(/^.*\n/, `${origin}\n`);
      return noteText({ text: other, signatures: [signer.sign(other)] });
    };
    await expect(verifyCheckpoint(signed('other.example.com/0'), [key])).rejects.toMatchObject({
      fault: 'another-log',
    });
    await expect(verifyCheckpoint(signed(ORIGIN), [key])).rejects.toMatchObject({ fault: 'another-log' });
    // The tree of one partition, told as another one's: the event knows where it belongs.
    const { checkpoint, ...proof } = parseTlogProof(await auditLog(ledger).proof('0:5'));
    const { text: own } = parseNote(checkpoint);
    const moved = own.replace(`${ORIGIN}/0\n`, `${ORIGIN}/1\n`);
    const note = noteText({ text: moved, signatures: [signer.sign(moved)] });
    const foreign = {
      event: await bytesOf(5),
      proof: tlogProofText({ ...proof, checkpoint: note }),
      keys: [key],
    };
    await expect(verifyEvent(foreign)).rejects.toThrow('1:5: the event says of itself that it is 0:5');
  });

  test('is kept', async () => {
    await until(
      async () => (await ledger.call('auditKept', { query: { partition: 0 } })).checkpoints.length > 0,
    );
    const { checkpoints } = await ledger.call('auditKept', { query: { partition: 0 } });
    for (const { note, size } of checkpoints) expect((await verifyCheckpoint(note, [key])).size).toBe(size);
  });
});

describe('bad input', () => {
  test.each([
    ['/v1/audit/proof?position=1:1', 400, 'query.position has to be below 1'],
    ['/v1/audit/proof?position=0:0', 400, 'query.position has to name an event: they are counted from 1'],
    ['/v1/audit/proof?position=0:999999', 409, /^Partition 0 has come to \d+\.$/],
    [
      '/v1/audit/proof?position=0:9999999999999999',
      400,
      'query.position has to name an event: they are counted from 1',
    ],
    ['/v1/audit/proof?position=first', 400, expect.stringContaining('query.position')],
    ['/v1/audit/proof', 400, expect.stringContaining('query.position')],
    ['/v1/audit/checkpoint?partition=1', 400, 'query.partition has to be below 1'],
    ['/v1/audit/checkpoint', 400, expect.stringContaining('query.partition')],
    ['/v1/audit/kept?partition=7', 400, 'query.partition has to be below 1'],
    ['/v1/audit/consistency?partition=0&from=7&to=6', 400, 'query.from has to be at most query.to'],
    ['/v1/audit/consistency?partition=0&from=7&to=999999', 409, expect.stringMatching(/has come to/)],
    ['/v1/audit/consistency?partition=0&from=-1&to=6', 400, expect.stringContaining('query.from')],
    ['/v1/audit/1/checkpoint', 404, undefined],
    ['/v1/audit/0/tile/0/999', 404, undefined],
    ['/v1/audit/0/tile/1/000', 404, undefined],
    ['/v1/audit/0/tile/0/000.p/0', 404, undefined],
    ['/v1/audit/0/tile/0/000.p/256', 404, undefined],
    ['/v1/audit/0/tile/9/000', 404, undefined],
    ['/v1/audit/0/tile/0/..%2f0', 400, expect.stringContaining('params.tile')],
    ['/v1/audit/0/tile/0/00', 400, expect.stringContaining('params.tile')],
  ])('%s is answered %d', async (path, status, detail) => {
    const answer = await fetch(service.url + path);
    const body = (await answer.json()) as { detail?: string };
    expect(answer.status).toBe(status);
    if (detail instanceof RegExp) expect(body.detail).toMatch(detail);
    else expect(body.detail).toEqual(detail);
  });

  test('a tile is bytes that never change, by plain and by encoded addresses', async () => {
    const plain = await fetch(`${service.url}/v1/audit/0/tile/0/001`);
    expect(plain.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const bytes = Buffer.from(await plain.arrayBuffer());
    expect(bytes).toHaveLength(8_192);
    const [tile] = await auditLog(ledger).tiles(0, [{ level: 0, index: 1, width: 256 }]);
    expect(bytes.equals(tile!)).toBe(true);
    const partial = await fetch(`${service.url}/v1/audit/0/tile/1/000.p/2`);
    expect((await partial.arrayBuffer()).byteLength).toBe(64);
  });
});

describe('keys', () => {
  test('a key that others may read is refused at the start, with what to do', async () => {
    const open = at('open.key');
    writeFileSync(open, readFileSync(at('audit.key')), { mode: 0o644 });
    const env = environment({
      databaseUrl: await freshDatabase(),
      env: { LEDGER_ORIGIN: ORIGIN, LEDGER_AUDIT_KEY_FILE: open },
    });
    const refused = spawnService(env);
    expect((await refused.exited).code).not.toBe(0);
    const said = [...refused.lines, ...refused.errors].join('\n');
    expect(said).toContain(`${open}: others than its owner may read it (mode 644): chmod 600 it`);
    expect(said).not.toContain('PRIVATE+KEY');
    const other = spawnService({
      ...env,
      LEDGER_AUDIT_KEY_FILE: at('audit.key'),
      LEDGER_ORIGIN: 'other.example.com',
    });
    expect((await other.exited).code).not.toBe(0);
    expect([...other.lines, ...other.errors].join('\n')).toContain(
      `the key is called ${ORIGIN}, and this ledger other.example.com`,
    );
  });

  test('are made for their owner alone, once', async () => {
    expect(statSync(at('audit.key')).mode & 0o777).toBe(0o600);
    const again = await run('keygen', '--origin', ORIGIN, '-o', at('audit.key'));
    expect([again.code, again.errors]).toEqual([1, `${at('audit.key')} is there already`]);
  });

  test('change while both sign: who knows either verifies', async () => {
    const made = await run('keygen', '--origin', ORIGIN, '-o', at('next.key'), '--json');
    const next = JSON.parse(made.out).key as string;
    const both = await startService({
      databaseUrl: service.databaseUrl,
      env: { LEDGER_ORIGIN: ORIGIN, LEDGER_AUDIT_KEY_FILE: `${at('next.key')},${at('audit.key')}` },
    });
    const log = auditLog(new LedgerClient({ url: both.url }));
    expect(await log.keys()).toEqual({ origin: ORIGIN, keys: [next, key] });
    const note = await log.checkpoint(0);
    for (const keys of [[next], [key], [next, key]])
      expect(await verifyCheckpoint(note, keys)).toMatchObject({ partition: 0 });
    await both.stop();
    const alone = await auditLog(ledger).checkpoint(0);
    await expect(verifyCheckpoint(alone, [next])).rejects.toMatchObject({ fault: 'unknown-key' });
  });

  test('without any the ledger proves the same, and nothing is signed', async () => {
    const unsigned = await startService({ databaseUrl: service.databaseUrl });
    const log = auditLog(new LedgerClient({ url: unsigned.url }));
    const { keys } = await log.keys();
    expect(keys).toEqual([]);
    const note = await log.checkpoint(0);
    expect(note.endsWith('=\n\n')).toBe(true);
    await expect(verifyCheckpoint(note, [key])).rejects.toThrow('it is not signed at all');
    await unsigned.stop();
  });
});

describe('from the command line', () => {
  test('a proof is verified offline', async () => {
    writeFileSync(at('p.tlog-proof'), await auditLog(ledger).proof('0:5'));
    writeFileSync(at('e.json'), `${await bytesOf(5)}\n`);
    const right = await run(
      'verify',
      at('p.tlog-proof'),
      '--event',
      at('e.json'),
      '--key',
      key,
      '--url',
      'http://127.0.0.1:1',
    );
    expect(right).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^proven: the event is at 0:5 in the log of/),
    });
    writeFileSync(at('other.json'), await bytesOf(6));
    const wrong = await run('verify', at('p.tlog-proof'), '--event', at('other.json'), '--key', key);
    expect(wrong).toMatchObject({
      code: 4,
      errors: expect.stringContaining('NOT PROVEN (not-included): 0:5:'),
    });
    const without = await run('verify', at('p.tlog-proof'), '--key', key);
    expect(without).toMatchObject({ code: 2, errors: '--event is missing: what is the proof of?' });
  });

  test('the log is verified to have grown from a checkpoint', async () => {
    writeFileSync(at('kept.txt'), await auditLog(ledger).checkpoint(0));
    await write(30);
    const right = await run('verify', '--checkpoint', at('kept.txt'), '--key', key, '--json');
    expect([right.code, JSON.parse(right.out)]).toMatchObject([0, { origin: `${ORIGIN}/0` }]);
    const foreign = await startService({
      env: { LEDGER_ORIGIN: ORIGIN, LEDGER_AUDIT_KEY_FILE: at('audit.key'), LEDGER_PARTITIONS: '1' },
    });
    const shorter = await run('verify', '--checkpoint', at('kept.txt'), '--key', key, '--url', foreign.url);
    expect(shorter).toMatchObject({ code: 4, errors: expect.stringContaining('NOT PROVEN (shrunk)') });
    await foreign.stop();
  });

  test('a replica that has not looked for a moment is no log that has shrunk', async () => {
    const log = auditLog(ledger);
    const old = await log.checkpoint(0);
    await write(5);
    await until(async () => (await log.checkpoint(0)) !== old);
    const newer = await log.checkpoint(0);
    const answers = [old];
    const behind = { ...log, checkpoint: async () => answers.shift() ?? newer };
    const { before, now } = await grownFrom(behind, newer, [key]);
    expect(now.size).toBe(before.size);
    // One that stays behind has shrunk.
    const cut = { ...log, checkpoint: async () => old };
    await expect(grownFrom(cut, newer, [key])).rejects.toMatchObject({ fault: 'shrunk' });
  });

  test('a report is of what has just happened, too', async () => {
    for (let tries = 0; tries < 5; tries++) {
      const userId = await write(2);
      const made = await run('report', '--user', userId, '-o', at(`just-now-${tries}.json`));
      expect(made).toMatchObject({ code: 0, errors: '' });
    }
  });

  test('a report says who owned a scope when, and is verified offline', async () => {
    const userId = await write(20, 'ada "the first" / ü');
    const { events } = (await ledger.call('scopeEvents', { query: { userId, limit: 3 } })) as {
      events: { time: string }[];
    };
    const made = await run('report', '--user', userId, '-o', at('report.json'), '--json');
    expect([made.code, JSON.parse(made.out)]).toMatchObject([0, { events: 39 }]);
    const verified = await run('verify', at('report.json'), '--key', key, '--url', 'http://127.0.0.1:1');
    expect(verified).toMatchObject({
      code: 0,
      out: expect.stringContaining('39 events of user ada "the first" / ü'),
    });
    const text = readFileSync(at('report.json'), 'utf8');
    const report = JSON.parse(text);
    expect(report.summary[0]).toContain(events[0]!.time);

    const changes: [string, (one: typeof report) => void][] = [
      ['left out', (one) => one.events.splice(5, 1)],
      ['left out', (one) => one.events.splice(0, 1)],
      [
        'not the event that the log has',
        (one) => (one.events[3].event = one.events[3].event.replace('cloud-dev', 'cloud-def')),
      ],
      ['summary', (one) => (one.summary[2] = 'nothing happened')],
      ['belongs to another scope', (one) => (one.scope.userId = 'bob')],
      ['what was erased', (one) => one.erased.push({ at: 'now', position: '0:1' })],
      ['outside the time', (one) => (one.from = '2099-01-01T00:00:00.000Z')],
      ['it is not signed at all', (one) => (one.checkpoint = one.checkpoint.replace(/— .*\n/, ''))],
    ];
    for (const [said, change] of changes) {
      const changed = structuredClone(report);
      change(changed);
      writeFileSync(at('changed.json'), JSON.stringify(changed));
      const found = await run('verify', at('changed.json'), '--key', key);
      expect([found.code, found.errors]).toEqual([4, expect.stringContaining(said)]);
    }
    // What is not whole is none, whatever it lacks.
    const parts: ((one: typeof report) => void)[] = [
      (one) => delete one.checkpoint,
      (one) => delete one.events[0].proof,
      (one) => (one.events[0] = null),
      (one) => (one.events[0].event = '{}'),
      (one) => (one.events = []),
    ];
    for (const part of parts) {
      const changed = structuredClone(report);
      part(changed);
      writeFileSync(at('changed.json'), JSON.stringify(changed));
      expect(await run('verify', at('changed.json'), '--key', key)).toMatchObject({
        code: 4,
        errors: expect.stringContaining('NOT PROVEN (malformed)'),
      });
    }
    const later = await run(
      'report',
      '--user',
      userId,
      '--from',
      report.events[20].event.match(/"time":"([^"]+)"/)[1],
      '-o',
      at('later.json'),
    );
    expect(later).toMatchObject({ code: 0, errors: '' });
    expect(await run('verify', at('later.json'), '--key', key)).toMatchObject({ code: 0, errors: '' });
    writeFileSync(at('changed.json'), text.slice(0, 1_000));
    expect(await run('verify', at('changed.json'), '--key', key)).toMatchObject({
      code: 4,
      errors: expect.stringContaining('or it is incomplete'),
    });
    const nobody = await run('report', '--user', 'nobody', '-o', at('nobody.json'));
    expect(nobody).toMatchObject({ code: 3, errors: 'the scope has no events in this time' });
  });

  test('a watcher keeps checkpoints, and cosigns what it found right', async () => {
    const made = await run('keygen', '--origin', 'witness.example.com', '-o', at('witness.key'), '--json');
    const watch = [
      'watch',
      '--dir',
      at('watched'),
      '--key',
      key,
      '--witness-key',
      at('witness.key'),
      '--once',
    ];
    expect(await run(...watch)).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing has changed'),
    });
    await write(40);
    await until(async () => (await run(...watch)).out.includes(' 79 of them new'));
    const kept = readFileSync(join(at('watched'), '0.checkpoint'), 'utf8');
    expect(kept).toContain('— witness.example.com ');
    expect(await verifyCheckpoint(kept, [key])).toMatchObject({ partition: 0 });
    expect(JSON.parse(made.out).key).toContain('witness.example.com+');
    // The key that the watcher tells of verifies what it has signed.
    const [, witness = ''] = /^witness: (.+)$/m.exec((await run(...watch)).out) ?? [];
    const verifier = verifierOf(witness);
    const { text, signatures } = parseNote(kept);
    const { bytes } = signatures.find(({ keyId }) => keyId === verifier.keyId)!;
    const seconds = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
    expect(verifier.isRight(cosignedText(seconds, text), bytes.subarray(8))).toBe(true);
    chmodSync(at('witness.key'), 0o644);
    expect(await run(...watch)).toMatchObject({ code: 1, errors: expect.stringContaining('chmod 600 it') });
  });
});

test('a ledger that was killed while it made tiles goes on with whole ones', async () => {
  for (let kills = 0; kills < 3; kills++) {
    await write(400);
    await service.restart(); // kill -9
  }
  await write(10);
  const found = spawnNode(cli, { args: ['verify'], env: { DATABASE_URL: service.databaseUrl } });
  expect([await found.exited, found.lines.join('\n')]).toEqual([
    { code: 0, signal: null },
    expect.stringContaining('sound'),
  ]);
  const proof = await auditLog(ledger).proof('0:900');
  await verifyEvent({ event: await bytesOf(900), proof, keys: [key] });
}, 60_000);

test('what is archived is proven as before', async () => {
  const [event, log] = [await bytesOf(3), auditLog(ledger)];
  const before = await log.checkpoint(0);
  const pool = openPool({ url: service.databaseUrl }, 1);
  const head = (await verifyCheckpoint(before, [key])).size;
  await until(
    async () => (await pool.query('select confirmed from ledger.relays')).rows[0].confirmed >= head,
  );
  mkdirSync(at('archive'));
  const archived = await archive({
    url: service.databaseUrl,
    olderThan: 0,
    to: at('archive'),
    limits: { leastAge: 0, segment: 300 },
  });
  expect(archived.deleted).toBeGreaterThan(600);
  // Nor do tiles need the events: they can be made of what the archive has left.
  const rebuilt = spawnNode(cli, {
    args: ['rebuild', '--tiles', '--json'],
    env: { DATABASE_URL: service.databaseUrl },
  });
  await rebuilt.exited;
  expect(JSON.parse(rebuilt.lines[0]!).tiles).toBeGreaterThanOrEqual(3);
  const proof = await log.proof('0:3');
  const { rows } = await pool.query('select max(last)::int as last from ledger.archives');
  await until(async () => {
    const { checkpoints } = await ledger.call('auditKept', { query: { partition: 0 } });
    return checkpoints.some(({ size }) => size === rows[0].last);
  });
  expect(await verifyEvent({ event, proof, keys: [key] })).toMatchObject({ sequence: 3 });
  await pool.end();
}, 60_000);
