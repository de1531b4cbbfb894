import type { Page } from 'playwright-core';
import { by, type Guarded, startGuarded, TENANT_PERMISSIONS } from '../support/access/guarded.js';
import { ask } from '../support/http.js';
import { type CommandBody, cloudDebug, cloudDev, type EventsBody, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';
import { lookAt, signIn } from './acting.js';
import { answerTo, open, testInBrowser } from './browser.js';

const { becomes } = within(30_000);

/** What an operator does in the console, as a ledger with access control lets it. */

let guarded: Guarded;
let operator: string;
let writer: string;
beforeAll(async () => {
  guarded = await startGuarded();
  writer = (await guarded.key({ principal: 'deployer' })).secret;
  operator = (await guarded.key({ principal: 'olga', permissions: TENANT_PERMISSIONS })).secret;
});

const post = async (path: string, body: object) =>
  (await ask<CommandBody>(`${guarded.service.url}/v1/sessions${path}`, { body, headers: by(writer) })).body;
const eventsOf = async (userId: string) =>
  (
    await ask<EventsBody>(`${guarded.service.url}/v1/events?${new URLSearchParams({ userId })}`, {
      headers: by(writer),
    })
  ).body.events;
const beyond401 = (complaints: readonly string[]) => complaints.filter((text) => !/status of 401/.test(text));

/** A place of the console, signed in to. */
async function opened(place: string, credential = operator) {
  const { page, complaints } = await open(`${guarded.service.url}/console/${place}`);
  await signIn(page, credential);
  await page.locator('header details').waitFor();
  return { page, complaints };
}
const act = (page: Page, name: string) => page.getByRole('button', { name: `${name}…`, exact: true }).click();
const confirm = (page: Page) => page.getByRole('button', { name: / at epoch \d+$/ });
const inDialog = (page: Page, text: string | RegExp) => page.getByRole('dialog').getByText(text);

testInBrowser.each([
  ['Release', {}, 'released', 'OwnershipReleased'],
  ['Claim by force', { 'New owner: environment': 'repair' }, 'claimed', 'OwnershipClaimed'],
  ['Invalidate', { Reason: 'broken' }, 'started-fresh', 'SessionStarted'],
  ['End', { Reason: 'over' }, 'ended', 'SessionEnded'],
])(
  '%s asks with the facts, sends the epoch that it showed, and shows its event',
  async (name, given, outcome, type) => {
    const userId = newUser();
    const { session } = await post('', { userId, owner: cloudDev });
    const { page, complaints } = await opened(`session?id=${session.sessionId}`);
    await act(page, name);
    await inDialog(page, session.sessionId).waitFor();
    await inDialog(page, 'deployer').waitFor();
    for (const [label, text] of Object.entries(given)) await page.getByLabel(label).fill(text);
    expect(await lookAt(page, `act-${name.split(' ')[0]!.toLowerCase()}`)).toEqual([]);
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await confirm(page).click();
    const [request, said] = [await sent, page.getByRole('dialog').getByRole('status')];
    expect(request.postDataJSON()).toMatchObject({ epoch: session.epoch });
    expect(request.headers()['idempotency-key']).toMatch(/^[0-9a-f]{32}$/);
    await page.getByRole('heading', { name: `${name}: ${outcome}` }).waitFor();
    const made = (await eventsOf(userId)).at(-1)!;
    expect([made.type, await said.textContent()]).toEqual([
      `session-ledger.${type}.v1`,
      expect.stringContaining(`wrote event ${made.id}.`),
    ]);
    expect(await lookAt(page, `act-${name.split(' ')[0]!.toLowerCase()}-done`)).toEqual([]);
    await page.getByRole('link', { name: 'See it on the timeline' }).click();
    await page.getByRole('heading', { name: 'Who owned it' }).waitFor();
    await becomes(() => page.getByRole('dialog').count(), 0);
    expect(beyond401(complaints)).toEqual([]);
    await page.close();
  },
);

testInBrowser(
  'what has changed since it was shown is not done; the new facts are shown, and can be confirmed',
  async () => {
    const userId = newUser();
    const { session } = await post('', { userId, owner: cloudDev });
    const { page } = await opened(`scope?userId=${userId}`);
    await act(page, 'End');
    await page.getByLabel('Reason').fill('over');
    await confirm(page).waitFor();
    await post(`/${session.sessionId}/release`, { epoch: session.epoch });
    await confirm(page).click();
    await inDialog(page, 'from epoch 1 to 2').waitFor();
    await inDialog(page, 'was active').waitFor();
    expect(await lookAt(page, 'act-changed')).toEqual([]);
    // It was a stop like any other: it was not obeyed, and that is in the log.
    expect((await eventsOf(userId)).at(-1)!.type).toContain('StopIgnored');
    await page.getByRole('button', { name: 'End at epoch 2' }).click();
    await page.getByRole('heading', { name: 'End: ended' }).waitFor();
    await page.close();
  },
);

testInBrowser(
  'a session that another one has replaced is left alone, and the one that is current is named',
  async () => {
    const userId = newUser();
    const { session } = await post('', { userId, owner: cloudDev });
    const { page } = await opened(`session?id=${session.sessionId}`);
    await act(page, 'End');
    await page.getByLabel('Reason').fill('over');
    await confirm(page).waitFor();
    const next = await post('', { userId, owner: cloudDebug });
    await confirm(page).click();
    await inDialog(page, 'is current now').waitFor();
    await page.getByRole('dialog').getByRole('link').click();
    await page.waitForURL((url) => url.searchParams.get('id') === next.session.sessionId);
    await page.close();
  },
);

testInBrowser('what was not answered is done once, however often it is sent', async () => {
  const userId = newUser();
  const { session } = await post('', { userId, owner: cloudDev });
  const { page } = await opened(`session?id=${session.sessionId}`);
  await act(page, 'End');
  await page.getByLabel('Reason').fill('over');
  await page.route('**/end', async (route) => {
    await answerTo(route);
    await route.abort();
  });
  await confirm(page).click();
  await inDialog(page, 'No answer arrived').waitFor();
  await page.unroute('**/end');
  await confirm(page).click();
  await page.getByRole('heading', { name: 'End: ended' }).waitFor();
  expect((await eventsOf(userId)).filter(({ type }) => type.includes('SessionEnded'))).toHaveLength(1);
  await page.close();
});

testInBrowser('acts are shown to operators alone', async () => {
  const userId = newUser();
  const { session } = await post('', { userId, owner: cloudDev });
  const { page } = await opened(`session?id=${session.sessionId}`, writer);
  await page.getByRole('heading', { name: 'Facts' }).waitFor();
  await becomes(() => page.getByRole('button', { name: 'End…' }).count(), 0);
  await becomes(() => page.getByRole('link', { name: 'Erase details…' }).count(), 0);
  await page.close();
});

testInBrowser('a credential that is bound to environments chooses among them', async () => {
  const { session } = await post('', { userId: newUser(), owner: cloudDev });
  const { secret } = await guarded.key({
    permissions: TENANT_PERMISSIONS,
    environments: ['repair', 'night'],
  });
  const { page } = await opened(`session?id=${session.sessionId}`, secret);
  await act(page, 'Claim by force');
  await page.getByLabel('New owner: environment').selectOption('night');
  await confirm(page).click();
  await page.getByRole('heading', { name: 'Claim by force: claimed' }).waitFor();
  await page.close();
});

testInBrowser("a user's details are erased after the user's id was typed", async () => {
  const userId = `${newUser()} "/<b>`;
  const { session } = await post('', { userId, owner: cloudDev, attributes: { name: 'Ada' } });
  await post('', { userId, projectId: 'b', owner: cloudDev, attributes: { name: 'Ada' } });
  const { page, complaints } = await opened(`session?id=${session.sessionId}`);
  await page.getByRole('link', { name: 'Erase details…' }).click();
  await page.getByRole('link', { name: "Erase all of this user's projects instead" }).click();
  await page.getByText('2 sessions of the user are current').waitFor();
  const erase = page.getByRole('button', { name: 'Erase for good' });
  await page.getByLabel("Type the user's id to confirm").fill(userId.slice(1));
  expect(await erase.isDisabled()).toBe(true);
  await page.getByLabel("Type the user's id to confirm").fill(userId);
  expect(await lookAt(page, 'erase')).toEqual([]);
  await erase.click();
  await page.getByText('The ledger wrote 2 events:').waitFor();
  const made = (await eventsOf(userId)).at(-1)!;
  expect(made.type).toContain('DetailsErased');
  await page.getByRole('cell', { name: made.id }).waitFor();
  expect(await lookAt(page, 'erased')).toEqual([]);
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});
