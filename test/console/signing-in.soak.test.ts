import type { Page } from 'playwright-core';
import { by, type Guarded, startGuarded } from '../support/access/guarded.js';
import { type Issuer, startIssuer } from '../support/access/issuer.js';
import { ask } from '../support/http.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';
import { keptBy, lookAt, signIn } from './acting.js';
import { open, testInBrowser } from './browser.js';

const { becomes } = within(30_000);

/** The console of a ledger that wants to know who asks. */

let guarded: Guarded;
let issuer: Issuer;
let base: string;
let writer: string;
beforeAll(async () => {
  issuer = await startIssuer();
  guarded = await startGuarded({ env: issuer.env });
  base = `${guarded.service.url}/console/`;
  writer = (await guarded.key({ principal: 'deployer' })).secret;
});

const post = async (path: string, body: object, secret = writer) =>
  (await ask<CommandBody>(`${guarded.service.url}/v1/sessions${path}`, { body, headers: by(secret) })).body;
const scopeOf = (userId: string) => `${base}scope?${new URLSearchParams({ userId })}`;
/** That there was no credential that counts the browser itself writes down as well. */
const beyond401 = (complaints: readonly string[]) =>
  complaints.filter((text) => !/status of (401|429)/.test(text));
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name });
const timeline = (page: Page, lane: number) => page.locator(`canvas.timeline[data-current="${lane}"]`);

testInBrowser('signing in leads to the page that was asked for, and leaves no trace of the key', async () => {
  const userId = newUser();
  await post('', { userId, owner: cloudDev });
  const { page, complaints } = await open(scopeOf(userId));
  await heading(page, 'Sign in').waitFor();
  expect(await lookAt(page, 'sign-in')).toEqual([]);
  await signIn(page, `${writer.slice(0, -1)}x`);
  await page.getByRole('alert').waitFor();
  const { secret } = await guarded.key({ principal: 'reader', permissions: ['read'] });
  await signIn(page, secret);
  await timeline(page, 0).waitFor();
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByRole('cell', { name: userId }).waitFor();
  expect(await keptBy(page)).not.toContain(secret.slice(4));
  await page.goBack();
  await timeline(page, 0).waitFor();
  await page.reload();
  await heading(page, 'Sign in').waitFor();
  expect(await keptBy(page)).not.toContain(secret.slice(4));
  expect(page.url()).toBe(scopeOf(userId));
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser('the header says who asks; signing out takes away all that was shown', async () => {
  const userId = newUser();
  await post('', { userId, owner: cloudDev });
  const { page, complaints } = await open(scopeOf(userId));
  const { secret } = await guarded.key({ principal: 'ada', permissions: ['read'] });
  await signIn(page, secret);
  await timeline(page, 0).waitFor();
  await page.getByText('ada · red').click();
  await page.getByRole('definition').filter({ hasText: 'its own tenant' }).waitFor();
  expect(await lookAt(page, 'who')).toEqual([]);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await heading(page, 'Sign in').waitFor();
  expect(await page.locator('main').textContent()).not.toContain(userId);
  const blue = await guarded.key({ tenant: 'blue', permissions: ['read'] });
  await signIn(page, blue.secret);
  await page.getByText('No session was ever started here.').waitFor();
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser('a key that is revoked is asked for anew, and the page goes on where it was', async () => {
  const userId = newUser();
  const first = await post('', { userId, owner: cloudDev });
  const { page, complaints } = await open(scopeOf(userId));
  const old = await guarded.key({ principal: 'ada', permissions: ['read'] });
  await signIn(page, old.secret);
  await timeline(page, 0).waitFor();
  await page.evaluate('document.querySelector("canvas.timeline").dataset.mine = "kept"');
  await guarded.revoke(old.id);
  await page.getByRole('dialog').waitFor();
  expect(await lookAt(page, 'sign-in-again')).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByText('The page is paused until you sign in again.').waitFor();
  await page.getByRole('button', { name: 'Sign in' }).click();
  // What happens meanwhile is there afterwards.
  await post('', { userId, owner: cloudDebug });
  await post(`/${first.session.sessionId}/end`, {
    epoch: first.session.epoch,
    origin: cloudDev,
    reason: 'late',
  });
  const next = await guarded.key({ principal: 'ada', permissions: ['read'] });
  await signIn(page, next.secret);
  await timeline(page, 1)
    .and(page.locator('[data-marks="1"]'))
    .and(page.locator('[data-mine=kept]'))
    .waitFor();
  await becomes(() => page.getByRole('dialog').count(), 0);
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser('a token that expires while the page is open is asked for anew', async () => {
  const userId = newUser();
  await post('', { userId, owner: cloudDev });
  const { page, complaints } = await open(`${base}sessions`);
  // Clocks may differ by a minute: this one has some seconds left.
  await signIn(page, await issuer.token({ sub: 'bob' }, { from: -100, to: -50 }));
  await page.getByRole('cell', { name: userId }).waitFor();
  await page.getByRole('dialog').waitFor();
  const refused = complaints.length;
  const later = newUser();
  await post('', { userId: later, owner: cloudDev });
  const token = await issuer.token({ sub: 'bob' });
  await signIn(page, token);
  await page.getByRole('cell', { name: later }).waitFor();
  // One request was refused: the others waited, instead of asking again and again with what counts no more.
  expect(complaints.length).toBe(refused);
  expect(await keptBy(page)).not.toContain(token.split('.')[2]);
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser('who signs in as somebody else is shown nothing of the one before', async () => {
  const userId = newUser();
  await post('', { userId, owner: cloudDev });
  const { page, complaints } = await open(scopeOf(userId));
  const old = await guarded.key({ principal: 'ada', permissions: ['read'] });
  await signIn(page, old.secret);
  await timeline(page, 0).waitFor();
  // Its address has tried too many that did not count: it is told to wait, and may sign in all the same.
  await Promise.all(
    Array.from({ length: 25 }, (_, at) =>
      ask(`${guarded.service.url}/v1/stats`, { headers: by(`${old.secret}${at}`) }),
    ),
  );
  await guarded.revoke(old.id);
  await page.getByRole('dialog').getByText('Too many invalid credentials').waitFor();
  await signIn(page, (await guarded.key({ tenant: 'blue', permissions: ['read'] })).secret);
  await page.getByText('No session was ever started here.').waitFor();
  await becomes(() => page.locator('canvas.timeline').count(), 0);
  expect(beyond401(complaints)).toEqual([]);
  await page.close();
});

testInBrowser(
  'a key without `read` is told what it lacks; a ledger-wide one sees the whole ledger',
  async () => {
    const { page, complaints } = await open(`${base}sessions`);
    await signIn(page, (await guarded.key({ principal: 'blind', permissions: ['write'] })).secret);
    await heading(page, 'This page needs the permission read').waitFor();
    await page.getByText('Your key or token allows write.').waitFor();
    expect(await lookAt(page, 'without-read')).toEqual([]);
    await page.getByRole('button', { name: 'Sign in with another key' }).click();
    await signIn(page, guarded.admin);
    await heading(page, 'This page needs the permission read').waitFor();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByText('events in 16 partitions').waitFor();
    expect(await page.locator('header').textContent()).toContain('root · no tenant');
    expect(beyond401(complaints)).toEqual([]);
    await page.close();
  },
);
