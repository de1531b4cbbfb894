import { fileURLToPath } from 'node:url';
import { freePort } from '#dev-stack';
import { type NodeProcess, spawnNode } from '../../test/support/process.js';
import { freshTopic, type Service, startService } from '../../test/support/service.js';

const main = fileURLToPath(new URL('../../dist/apps/demo/main.js', import.meta.url));
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;
const kafka = process.env.TEST_KAFKA_BROKERS ?? '';
const topic = freshTopic();
let service: Service;

beforeAll(async () => {
  service = await startService({ kafkaBrokers: kafka, topic });
});

async function demo(...args: string[]): Promise<NodeProcess & { code: number | null }> {
  const env = { LEDGER_URL: undefined, LEDGER_TOPIC: undefined };
  const process = spawnNode(main, { args, env });
  const { code } = await process.exited;
  return { ...process, code };
}

test('the story is told as the processes got it, from Kafka and over HTTP', async () => {
  const { code, lines, errors } = await demo('--url', service.url, '--kafka', kafka, '--topic', topic);
  expect({ code, errors }).toEqual({ code: 0, errors: [] });
  const text = lines.join('\n');
  const facts = lines
    .filter((line) => /^ +\d+\.\d{3} s /.test(line))
    .map((line) => line.replace(/ {2,}/g, ' '));
  const fromKafka = facts.flatMap(
    (line) => /app \(Kafka\) ([A-Z]\w+) \d+:\d+ ([AB]) …/.exec(line)?.slice(1).join(' ') ?? [],
  );
  expect(fromKafka).toEqual([
    'SessionStarted A',
    'SessionSuperseded A',
    'SessionStarted B',
    'StopIgnored A',
    'OwnershipReleased B',
    'OwnershipClaimed B',
  ]);
  expect(facts.filter((line) => / stops its session 409 stale-session A …/.test(line))).toHaveLength(3);
  expect(text).toMatch(/cloud-staging +claims it +409 reserved/);
  expect(text).toMatch(/\nCurrent: B …[0-9a-f]{4}, epoch 4, active on cloud-dev\./);
  expect(text).toMatch(/Everything went as expected\.$/);
  expect(text).not.toMatch(UUID);
  expect(text).not.toContain('\x1b');
}, 30_000);

test('without Kafka the app follows the feed; with --json a program can read it', async () => {
  const { code, lines, errors } = await demo('--url', service.url, '--without-kafka', '--json');
  expect({ code, errors }).toEqual({ code: 0, errors: [] });
  const documents = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const facts = documents.slice(0, -1);
  expect(facts.filter(({ who }) => who === 'app (feed)').map(({ what }) => what)).toContain('StopIgnored');
  const times = facts.map(({ time }) => Number(time));
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(documents.at(-1)).toMatchObject({
    ok: true,
    notSo: [],
    current: { owner: { environment: 'cloud-dev' } },
  });
  expect(lines.join('\n')).not.toMatch(UUID);
});

test.each([
  ['there is no ledger', async () => ['--url', await nowhere()], /no ledger answers at .*npm start/],
  [
    'there is no Kafka',
    async () => ['--url', service.url, '--kafka', (await nowhere()).slice(7)],
    /Kafka cannot be reached at .*--without-kafka/,
  ],
  [
    'the topic is another',
    async () => ['--url', service.url, '--kafka', kafka, '--topic', freshTopic()],
    /has no topic .*--topic/,
  ],
  ['an option is unknown', async () => ['--fast'], /Unknown option '--fast'.*--help/],
])('one line says so when %s', async (_, args, line) => {
  const { code, errors } = await demo(...(await args()));
  expect(code).toBe(1);
  expect(errors).toEqual([expect.stringMatching(line)]);
});

test('one line says so when the ledger has no Kafka', async () => {
  const { url } = await startService();
  const { code, errors } = await demo('--url', url, '--kafka', kafka);
  expect({ code, errors }).toEqual({
    code: 1,
    errors: [expect.stringMatching(/relays to no Kafka.*--without-kafka/)],
  });
});

test('--help shows examples', async () => {
  const { code, lines } = await demo('--help');
  expect(code).toBe(0);
  expect(lines.join('\n')).toMatch(/Examples:\n.*npm start/);
});

/** An address where nobody listens. */
async function nowhere(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}
