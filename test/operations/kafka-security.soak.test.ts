import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import kafkajs from 'kafkajs';
import { kafkaSecurityOf, openKafka } from '#broker';
import { freePort, type RunningKafka, startKafka } from '#dev-stack';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';
import { makeAuthority } from './certificates.js';

const { becomes } = within(60_000);

// A broker that wants TLS and a password, and lets everyone do only what docs/kafka-acls.sh allows.
const aclFile = fileURLToPath(new URL('../../docs/kafka-acls.sh', import.meta.url));
const TOPIC = 'session-ledger.events.v1';
const SECRETS = {
  'session-ledger': 'ledger-s3cret',
  'session-ledger-consumer': 'consumer-s3cret',
  stranger: 'stranger-s3cret',
};
type User = keyof typeof SECRETS;

let directory: string;
let broker: RunningKafka;
let brokers: string;
let ca: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kafka-security-'));
  const authority = await makeAuthority(directory);
  ca = authority.cert;
  const { cert, key } = await authority.sign('kafka.test');
  const store = join(directory, 'store.pem');
  await writeFile(store, (await readFile(key, 'utf8')) + (await readFile(cert, 'utf8')));
  const [port, securePort, controllerPort] = [await freePort(), await freePort(), await freePort()];
  brokers = `127.0.0.1:${securePort}`;
  const secured = `SECURED://127.0.0.1:${securePort}`;
  const plain = `PLAINTEXT://127.0.0.1:${port}`;
  const started = await startKafka({
    dataDir: join(directory, 'kafka'),
    port,
    cacheDir: process.env.KAFKA_CACHE_DIR,
    log: () => {},
    settings: {
      listeners: `${plain},${secured},CONTROLLER://127.0.0.1:${controllerPort}`,
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      'advertised.listeners': `${plain},${secured}`,
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL',
      'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
      'listener.name.secured.scram-sha-512.sasl.jaas.config':
        'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': store,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // The broker itself, and whoever administers it here.
      'super.users': 'User:ANONYMOUS',
    },
    formatArguments: Object.entries(SECRETS).flatMap(([name, password]) => [
      '--add-scram',
      `SCRAM-SHA-512=[name=${name},password=${password}]`,
    ]),
  });
  if (!started) throw new Error('no Kafka');
  broker = started;
  await allowWhatTheFileSays(broker.brokers);
}, 120_000);
afterAll(async () => {
  await broker?.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Runs the file with a kafka-acls.sh that writes down what it is asked, since Kafka's own tool is not here. */
async function allowWhatTheFileSays(at: string[]): Promise<void> {
  const asked = join(directory, 'asked');
  const tool = join(directory, 'kafka-acls.sh');
  await writeFile(tool, `#!/bin/sh\necho "$*" >> ${asked}\n`);
  await chmod(tool, 0o755);
  const env = { PATH: `${directory}:${process.env.PATH}` };
  await promisify(execFile)('sh', [aclFile, brokers, 'admin.properties'], { env });
  const lines = (await readFile(asked, 'utf8')).trim().split('\n');
  const admin = new kafkajs.Kafka({ brokers: at, logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createAcls({ acl: lines.flatMap(aclsOf) });
  await admin.disconnect();
}

function aclsOf(line: string): kafkajs.AclEntry[] {
  const option = (name: string) => new RegExp(`--${name} (\\S+)`).exec(line)?.[1];
  const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;
  const [resourceType, resourceName] = option('topic')
    ? [AclResourceTypes.TOPIC, option('topic')]
    : option('group')
      ? [AclResourceTypes.GROUP, option('group')]
      : [AclResourceTypes.CLUSTER, 'kafka-cluster'];
  return [...line.matchAll(/--operation (\w+)/g)].map(([, operation = '']) => ({
    ...{ resourceType, resourceName: resourceName ?? '', resourcePatternType: ResourcePatternTypes.LITERAL },
    ...{ principal: option('allow-principal') ?? '', host: '*', permissionType: AclPermissionTypes.ALLOW },
    operation: AclOperationTypes[
      operation.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase() as keyof typeof AclOperationTypes
    ] as unknown as kafkajs.AclOperationTypes,
  }));
}

async function settingsFor(user: User, password = SECRETS[user]): Promise<Record<string, string>> {
  const file = join(directory, `${user}-${password.length}.password`);
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return {
    ...{ KAFKA_BROKERS: brokers, KAFKA_SSL: 'true', KAFKA_SSL_CA: ca, KAFKA_SASL_MECHANISM: 'scram-sha-512' },
    ...{ KAFKA_SASL_USERNAME: user, KAFKA_SASL_PASSWORD_FILE: file },
  };
}

async function relaying(env: Record<string, string>): Promise<Service> {
  return startService({ kafkaBrokers: brokers, topic: TOPIC, env: { LEDGER_PARTITIONS: '2', ...env } });
}

const portOf = async (user: User) =>
  openKafka({ brokers: [brokers], log: () => {}, ...kafkaSecurityOf(await settingsFor(user)) });

test('the ledger makes its topic and relays with the rights of the file alone; its consumer reads and does not write', async () => {
  const service = await relaying(await settingsFor('session-ledger'));
  for (let n = 0; n < 5; n += 1)
    expect(
      (await ask(`${service.url}/v1/sessions`, { body: { userId: newUser(), owner: cloudDev } })).status,
    ).toBe(201);
  const consumer = await portOf('session-ledger-consumer');
  const ends = async () =>
    (await consumer.bounds(TOPIC).catch(() => [])).reduce((sum, { end }) => sum + end, 0);
  await becomes(ends, 5);
  await expect(
    consumer.createTopic('another', { partitions: 1, replicationFactor: 1, config: {} }),
  ).rejects.toThrow();
  await expect(consumer.deleteTopic(TOPIC)).rejects.toThrow();
  await consumer.close();
  expect(service.output()).not.toContain('s3cret');
  await service.stop();
});

test('neither a stranger, nor a wrong password, nor a broker of another authority gets anywhere', async () => {
  const stranger = await portOf('stranger');
  await expect(stranger.bounds(TOPIC)).rejects.toThrow();
  await stranger.close();
  const failing: [Record<string, string>, RegExp][] = [
    [await settingsFor('session-ledger', 'wrong'), /SASL|authentication/i],
    [
      {
        ...(await settingsFor('session-ledger')),
        KAFKA_SSL_CA: (await makeAuthority(directory, 'another')).cert,
      },
      /certificate/i,
    ],
  ];
  for (const [env, said] of failing) {
    const service = await relaying(env);
    await becomes(async () => said.test(service.output()), true);
    expect(service.output()).not.toMatch(/s3cret|wrong/);
    expect(
      (await ask(`${service.url}/v1/sessions`, { body: { userId: newUser(), owner: cloudDev } })).status,
    ).toBe(201);
    await service.stop();
  }
});
