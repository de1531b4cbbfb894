import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ask } from '../support/http.js';
import { environment, freshDatabase, type Service, spawnService, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

let service: Service;
let scraped: string;
beforeAll(async () => {
  service = await startService({ kafkaBrokers: process.env.TEST_KAFKA_BROKERS ?? 'none' });
  const userId = newUser();
  const start = (owner: object) =>
    ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner } });
  const { session } = (await start(cloudDev)).body;
  await start(cloudDebug);
  await ask(`${service.url}/v1/sessions/${session.sessionId}/end`, {
    body: { epoch: 1, origin: cloudDev, reason: 'late' },
  });
  await ask(`${service.url}/v1/current?userId=${userId}`);
  await ask(`${service.url}/v1/current`);
  const commands = [
    { operation: 'startSession', body: { userId: newUser(), owner: cloudDev } },
    { operation: 'nothing' },
  ];
  await ask(`${service.url}/v1/commands`, { body: { commands } });
  await ask(`${service.url}/nowhere`);
  scraped = await (await fetch(`${service.url}/metrics`)).text();
});

test.each([
  ['ledger_commands_total{operation="startSession",outcome="started"} 3'],
  ['ledger_http_requests_total{operation="sendCommands",status="200"} 1'],
  ['ledger_problems_total{operation="none",code="invalid-request"} 1'],
  ['ledger_problems_total{operation="endSession",code="stale-session"} 1'],
  ['ledger_problems_total{operation="currentSession",code="invalid-request"} 1'],
  ['ledger_problems_total{operation="none",code="not-found"} 1'],
  ['ledger_http_requests_total{operation="startSession",status="201"} 2'],
  ['ledger_http_requests_total{operation="endSession",status="409"} 1'],
  ['ledger_http_requests_total{operation="currentSession",status="200"} 1'],
  ['ledger_http_request_seconds_count{operation="currentSession"} 1'],
])('metrics count what requests came to: %s', (line) => {
  expect(scraped.split('\n')).toContain(line);
});

test('alerts and the dashboard ask only for what the service tells', async () => {
  const told = new Set([...scraped.matchAll(/^# TYPE (ledger_\w+)/gm)].map(([, name = '']) => name));
  for (const file of ['docker/prometheus/alerts.yaml', 'docker/grafana/dashboard.json']) {
    const text = await readFile(join(root, file), 'utf8');
    const asked = new Set([...text.matchAll(/\bledger_\w+/g)].map(([name]) => name));
    expect(asked.size).toBeGreaterThan(5);
    const unknown = [...asked].filter(
      (name) => !told.has(name) && !told.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect([file, unknown]).toEqual([file, []]);
  }
});

test('with LEDGER_LOG=json every line is a document with a level, and nothing is a hint for people', async () => {
  const databaseUrl = await freshDatabase();
  const logged = spawnService(environment({ databaseUrl, env: { LEDGER_LOG: 'json' } }));
  await logged.waitForLine(/Ledger on http/, 20_000);
  await logged.kill('SIGTERM');
  expect(logged.errors).toEqual([]);
  const lines = logged.lines.map((line) => JSON.parse(line));
  expect(lines).toContainEqual(
    expect.objectContaining({
      level: 'log',
      context: 'session-ledger',
      message: expect.stringMatching(/^Ledger on http/),
      timestamp: expect.anything(),
    }),
  );
  expect(lines.filter(({ message }) => /curl|^$/.test(message))).toEqual([]);
});

/** These come as Go modules: GOBIN=<a folder in PATH> go install … */
const tools = {
  helm: 'helm.sh/helm/v3/cmd/helm@latest',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@latest',
  promtool: 'github.com/prometheus/prometheus/cmd/promtool@latest',
};
const missing = await Promise.all(
  Object.keys(tools).map((tool) =>
    run('which', [tool]).then(
      () => [],
      () => [tool],
    ),
  ),
).then((found) => found.flat() as (keyof typeof tools)[]);
const whereThereAre = (...needed: (keyof typeof tools)[]) => {
  const lacking = needed.filter((tool) => missing.includes(tool));
  return lacking.length > 0
    ? (name: string, _: () => Promise<void>) =>
        test.skip(`${name} (go install ${tools[lacking[0] as 'helm']})`, () => {})
    : test;
};

whereThereAre('promtool')('Prometheus can read the alerts', async () => {
  const { stdout } = await run('promtool', ['check', 'rules', join(root, 'docker/prometheus/alerts.yaml')]);
  expect(stdout).toMatch(/SUCCESS: \d+ rules found/);
});

whereThereAre('helm', 'kubeconform')(
  'the chart makes what Kubernetes takes, with every part switched on',
  async () => {
    const chart = join(root, 'docker/helm');
    await run('helm', ['lint', '--strict', chart]);
    const all = [
      '--set',
      'serviceMonitor.enabled=true,tls.secret=tls,database.plain=true,env.LEDGER_LOG=json',
    ];
    const { stdout } = await run('helm', ['template', 'ledger', chart, ...all]);
    expect([...stdout.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind).sort()).toEqual([
      'Deployment',
      'Job',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceMonitor',
    ]);
    const checking = execFile('kubeconform', ['-strict', '-ignore-missing-schemas', '-summary', '-']);
    checking.stdin?.end(stdout);
    const code = await new Promise((resolve) => checking.once('exit', resolve));
    expect(code).toBe(0);
  },
);
