import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { archive } from '#archive';
import { ask } from '../support/http.js';
import { freshTopic, type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';
import { makeAuditKey } from './audit-key.js';
import { violationsIn } from './axe.js';
import { changeAnswers, open, testInBrowser, without } from './browser.js';
import { seedChain } from './seed.js';

const { becomes, until } = within(20_000);
const PICTURES = 'dist/test/console';
mkdirSync(PICTURES, { recursive: true });

let service: Service;
let key: string;
beforeAll(async () => {
  const made = await makeAuditKey('ledger.example.com');
  key = made.verifierKey;
  service = await startService({ env: made.env });
});

const post = async (path: string, body: object) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions${path}`, { body })).body;
const openSession = (sessionId: string) => open(`${service.url}/console/session?id=${sessionId}`);
const rotated = async ({ sessionId, epoch }: CommandBody['session'], more: object = {}) =>
  (await post(`/${sessionId}/rotate`, { epoch, reason: 'compact', ...more })).session;

testInBrowser(
  'a session has its facts, its chain, its checkpoints and the stops that it ignored, live',
  async () => {
    const userId = newUser();
    const attributes = { title: '<script>alert(1)</script>' };
    const handles = [{ kind: 'mcp-transport', value: 'a secret', binds: 'session' }];
    const first = (await post('', { userId, owner: cloudDev, attributes, handles })).session;
    const usage = { inputTokens: 1_200, cost: { amount: '0.0125', currency: 'EUR' } };
    const second = await rotated(first, { versionId: 'v1', usage });
    await post(`/${second.sessionId}/checkpoints`, { label: 'before the demo' });
    const end = { epoch: second.epoch, origin: { environment: 'laptop' }, reason: 'closed' };
    const { page, complaints } = await openSession(second.sessionId);
    const chain = page.locator('.links tbody tr');
    await chain.nth(1).waitFor();
    expect(await chain.allInnerTexts()).toEqual([
      expect.stringMatching(/^2\s.*active\s+compact\s+v1\s+cloud-dev/s),
      expect.stringMatching(/^1\s.*ended, rotated\s+started\s+cloud-dev.*1,200 in · 0.0125 EUR/s),
    ]);
    await page.getByText('The whole chain used 1 operation · 1,200 in · 0.0125 EUR').waitFor();
    await page.getByRole('cell', { name: 'before the demo' }).waitFor();
    expect((await page.locator('[aria-labelledby=facts] pre').allInnerTexts())[0]).toContain(
      '"<script>alert(1)</script>"',
    );

    // While it is open: a stop that comes from elsewhere, and a rotation.
    await post(`/${second.sessionId}/end`, end);
    await page.locator('.card', { hasText: 'Ignored stops' }).getByText('laptop').waitFor();
    const third = await rotated(second, { versionId: 'v2' });
    await chain.nth(2).waitFor();
    expect(await chain.nth(1).getAttribute('aria-current')).toBe('true');
    await chain.nth(0).getByRole('link').click();
    await page.waitForURL(`**/console/session?id=${third.sessionId}`);
    await page.screenshot({ path: `${PICTURES}/session-chain.png`, fullPage: true });
    expect(complaints).toEqual([]);
    await page.close();
  },
);

testInBrowser('a chain shows what was recovered, and from which session, and what a reset left', async () => {
  const owner = cloudDev;
  const first = (await post('', { userId: newUser(), owner })).session;
  const { sessionId, epoch } = await rotated(first);
  const reason = 'the provider lost it';
  const invalid = { epoch, certainty: 'definite', reason };
  const recovered = (await post(`/${sessionId}/invalid`, invalid)).session;
  const { page, complaints } = await openSession(recovered.sessionId);
  const rows = page.locator('.links tbody tr');
  await rows.nth(2).waitFor();
  expect(await rows.allInnerTexts()).toEqual([
    expect.stringMatching(/^3\s.*active\s+recovery, from \w{4}…/s),
    expect.stringMatching(/^2\s.*ended, invalid\s+compact/s),
    expect.stringMatching(/^1\s.*ended, rotated\s+started/s),
  ]);
  await becomes(() => rows.nth(1).locator('.dot.bad').count(), 1);
  await page.goto(`${service.url}/console/session?id=${sessionId}`);
  await page.locator('[aria-labelledby=facts]').getByText(reason).waitFor();
  const next = await rotated(recovered, { reason: 'reset' });
  await page.goto(`${service.url}/console/session?id=${next.sessionId}`);
  await rows.filter({ hasText: /reset, after \w{4}…/ }).waitFor();
  await page.goto(`${service.url}/console/session?id=${recovered.sessionId}`);
  await page.getByText('This chain is not the latest one').waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

/** Opens the events of the page's session, and the first of them. */
async function openFirstEvent(page: Page) {
  await page.getByText('The exact bytes').click();
  await page.locator('.events summary').first().click();
  await page.getByRole('button', { name: 'Prove this event' }).waitFor();
}

testInBrowser('an event is proven in the browser, by a key from elsewhere', async () => {
  const userId = `a/b "${newUser()}" {[\\ שלום 🦊`;
  const first = (await post('', { userId, owner: cloudDebug })).session;
  const { session } = await post('', { userId, owner: cloudDev });
  const { page, complaints } = await openSession(session.sessionId);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await openFirstEvent(page);
  const text = (await page.locator('.raw').allInnerTexts())[0]!;
  await page.getByRole('button', { name: 'Prove this event' }).click();
  await page.locator('textarea[name=key]').fill('no key');
  await page.getByRole('button', { name: 'Use this key' }).click();
  await page.getByText('a verifier key is <name>').waitFor();
  await page.locator('textarea[name=key]').fill(key);
  await page.getByRole('button', { name: 'Use this key' }).click();
  const proven = page.locator('.proven');
  await proven.waitFor();
  const { id } = JSON.parse(text);
  const [says] = await proven.allInnerTexts();
  expect(says).toContain(`this event is at ${id} in the log of ledger.example.com/`);
  expect(says).toContain(`the ${Buffer.byteLength(text).toLocaleString('en')} bytes above`);
  expect(says).toContain('signed by the key ledger.example.com');
  expect(says).toContain('You entered the key.');
  // The service was asked for the proof and for nothing else.
  expect(asked.filter((path) => path.startsWith('/v1/audit'))).toEqual(['/v1/audit/proof']);
  expect(await violationsIn(page)).toEqual([]);
  await page.screenshot({ path: `${PICTURES}/proof.png`, fullPage: true });

  await page.getByRole('button', { name: 'Use another key' }).click();
  await page.getByRole('button', { name: 'Use the key that this service reports' }).click();
  await page.getByText('This proves only that its answers are consistent').waitFor();

  // How often a stop was ignored is told beside its event, and is no part of what was hashed.
  const { sessionId, epoch } = first;
  for (let time = 0; time < 2; time++)
    await post(`/${sessionId}/end`, { epoch, origin: cloudDebug, reason: 'closed' });
  await page.goto(`${service.url}/console/session?id=${sessionId}`);
  await page.getByText('The exact bytes').click();
  await page.getByText('Stop ignored: superseded (2 times)').click();
  await page.getByRole('button', { name: 'Prove this event' }).click();
  await page.locator('textarea[name=key]').fill(key);
  await page.getByRole('button', { name: 'Use this key' }).click();
  await proven.waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

testInBrowser('an event that was changed on its way is not proven, nor one by another key', async () => {
  const { session } = await post('', { userId: newUser(), owner: cloudDev });
  const { page } = await openSession(session.sessionId);
  await changeAnswers(page, '**/v1/events?*', (text) => text.replaceAll('"cloud-dev"', '"cloud-def"'));
  await openFirstEvent(page);
  await page.getByRole('button', { name: 'Prove this event' }).click();
  await page.locator('textarea[name=key]').fill(key);
  await page.getByRole('button', { name: 'Use this key' }).click();
  await page.getByText('this event is not the one that the log has there').waitFor();
  await page.getByText('Not proven.').waitFor();
  await becomes(() => page.locator('.proven').count(), 0);

  await page.getByRole('button', { name: 'Use another key' }).click();
  const other = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  await page.locator('textarea[name=key]').fill(other);
  await page.getByRole('button', { name: 'Use this key' }).click();
  await page.getByText('no key that was given has signed it').waitFor();
  await page.close();
});

testInBrowser('a page that is no secure context says that it cannot prove', async () => {
  const { session } = await post('', { userId: newUser(), owner: cloudDev });
  const { page } = await openSession(session.sessionId);
  await page.evaluate('Object.defineProperty(crypto, "subtle", { value: undefined })');
  await page.getByText('The exact bytes').click();
  await page.locator('.events summary').first().click();
  await page.getByText('only in a secure context').waitFor();
  await page.close();
});

testInBrowser(
  'of a long chain only what is seen is drawn and read',
  async () => {
    const links = 1_200;
    const tip = await seedChain(service, { userId: newUser(), links });
    const { page, complaints } = await openSession(tip.sessionId);
    const pages: string[] = [];
    page.on('request', (request) => {
      if (request.url().includes('/v1/chain?')) pages.push(request.url());
    });
    const rows = page.locator('.links tbody tr[aria-rowindex]');
    await rows.first().waitFor();
    expect(await page.locator('.links table').getAttribute('aria-rowcount')).toBe(String(links + 1));
    expect([pages.length <= 1, (await rows.count()) < 40]).toEqual([true, true]);
    await page.evaluate('document.querySelector(".links").scrollTop = 1e7');
    await page.locator('.links tr.root').waitFor();
    expect(pages.length).toBeLessThanOrEqual(4);
    expect(await rows.count()).toBeLessThan(40);
    // From the root, which is far from the tip, the way down is shown, and the tip on demand.
    await page.locator('.links tr.root').getByRole('link').click();
    await page.getByText(`${(links - 1).toLocaleString('en')} newer links follow this session.`).waitFor();
    await becomes(() => rows.count(), 1);
    await page.getByRole('button', { name: 'Show from the tip' }).click();
    await page.locator('.links tr.tip').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  },
  240_000,
);

testInBrowser('an erased session, one that there is not, and one of another version are said', async () => {
  const userId = newUser();
  const { session } = await post('', { userId, owner: cloudDev, attributes: { title: 'a secret' } });
  await ask(`${service.url}/v1/details?userId=${userId}`, { method: 'DELETE' });
  const { page, complaints } = await openSession(session.sessionId);
  await page.locator('[aria-labelledby=facts]').getByText('erased').waitFor();
  expect(await violationsIn(page)).toEqual([]);
  expect(complaints).toEqual([]);

  await page.goto(`${service.url}/console/session?id=01920000-0000-7003-8000-000000000000`);
  await page.getByText('session').and(page.locator('.trouble')).first().waitFor();
  await page.goto(`${service.url}/console/session?id=%3Cscript%3E`);
  await page.locator('.trouble').first().waitFor();

  // A service that leaves something out must not leave nothing on the screen.
  await changeAnswers(page, '**/v1/sessions/*', without('scope'));
  await page.goto(`${service.url}/console/session?id=${session.sessionId}`);
  await page.getByText("This page cannot show the service's answer").waitFor();
  expect(await violationsIn(page)).toEqual([]);
  await page.getByRole('link', { name: 'Overview' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.close();
});

testInBrowser('of an archived past the files are named', async () => {
  const old = await startService({
    kafkaBrokers: process.env.TEST_KAFKA_BROKERS ?? '',
    topic: freshTopic(),
    env: { LEDGER_PARTITIONS: '1' },
  });
  const userId = newUser();
  const start = async (owner: object) =>
    (await ask<CommandBody>(`${old.url}/v1/sessions`, { body: { userId, owner } })).body.session;
  const first = await start(cloudDev);
  for (let round = 0; round < 4; round++) await start(round % 2 ? cloudDev : cloudDebug);
  await ask(`${old.url}/v1/sessions/${first.sessionId}/end`, {
    body: { epoch: first.epoch, origin: cloudDev, reason: 'closed' },
  });
  for (let round = 0; round < 2; round++) await start(round % 2 ? cloudDev : cloudDebug);
  const to = mkdtempSync(join(tmpdir(), 'console-archive-'));
  await until(async () => {
    const limits = { leastAge: 0, segment: 4 };
    return (await archive({ url: old.databaseUrl, olderThan: 0, to, limits })).deleted > 0;
  });
  // A replica that has them in memory would still serve them.
  await old.restart();
  const { body } = await ask<{ files: { file: string }[] }>(`${old.url}/v1/feed?partition=0`);
  const { page } = await open(`${old.url}/console/session?id=${first.sessionId}`);
  await page.getByText('The exact bytes').click();
  await page.getByText(`They are in ${body.files[0]!.file}`).waitFor();
  await page.close();
});
