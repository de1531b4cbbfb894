import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';
import { within } from '../support/until.js';
import { violationsIn } from './axe.js';
import { type Opened, open, testInBrowser } from './browser.js';

const { becomes } = within(30_000);

let service: Service;
beforeAll(async () => {
  service = await startService();
});

const start = async (body: object) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions`, { body: { owner: cloudDev, ...body } })).body.session;
/** Once the read models have it. */
const seen = async (userId: string, projectId: string) => {
  const scope = new URLSearchParams({ userId, projectId });
  const { headers } = await ask(`${service.url}/v1/current?${scope}`);
  const position = headers.get('ledger-position');
  if (position) await ask(`${service.url}/v1/sessions?${scope}&atLeast=${position}`);
};
const openFind = () => open(`${service.url}/console/find`);
async function look({ page }: Opened, text: string) {
  await page.getByRole('search', { name: 'Find' }).or(page.locator('form.find')).first().waitFor();
  await page.locator('input[name=find]').fill(text);
  await page.locator('input[name=find]').press('Enter');
}
const placeOf = (address: string) => {
  const { pathname, searchParams } = new URL(address);
  return [pathname.replace('/console/', ''), Object.fromEntries(searchParams)];
};

const STRANGE = [
  ['a slash', 'team/ada', 'a/b.c'],
  ['quotes', `ada "the" o'hara`, `"quoted"`],
  ['a script', '<script>alert(1)</script>', '<img src=x onerror=alert(1)>'],
  ['emoji', '🦊🦊', '🚀'],
  ['right-to-left letters', 'שלום\u202e עולם', 'مشروع'],
  ['256 characters', 'x'.repeat(256), 'ü'.repeat(256)],
  ['spaces', 'ada lovelace', 'my first project'],
  ['a backslash', 'domain\\ada', 'a\\"b'],
  ['what looks like a query', 'a&b=c?d#e%20', '../..'],
] as const;

testInBrowser('a user and project of whatever characters are found, and lead to their scope', async () => {
  const opened = await openFind();
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
  for (const [, userId, projectId] of STRANGE) {
    await start({ userId, projectId });
    await seen(userId, projectId);
    await look(opened, `${quoted(userId)} ${quoted(projectId)}`);
    await opened.page.waitForURL(/\/console\/scope\?/);
    expect(placeOf(opened.page.url())).toEqual(['scope', { userId, projectId }]);
    // By the user alone, without quotes: there is one session.
    await opened.page.goBack();
    await look(opened, userId);
    await opened.page.waitForURL(/\/console\/scope\?/);
    expect(placeOf(opened.page.url())).toEqual(['scope', { userId, projectId }]);
  }
  expect(opened.complaints).toEqual([]);
  await opened.page.close();
});

testInBrowser('a session leads to its page; a version and a project to all that are of it', async () => {
  const [one, other] = [newUser(), newUser()];
  const projectId = `project ${newUser()}`;
  const versionId = `v ${newUser()}`;
  for (const userId of [one, other]) {
    const { sessionId, epoch } = await start({ userId, projectId });
    await ask(`${service.url}/v1/sessions/${sessionId}/rotate`, {
      body: { epoch, reason: 'build', versionId },
    });
    await seen(userId, projectId);
  }
  const { sessionId } = await start({ userId: one, projectId, onConflict: 'join' });
  const opened = await openFind();
  const { page } = opened;
  await look(opened, sessionId.toUpperCase());
  await page.waitForURL(`**/console/session?id=${sessionId}`);
  await look(opened, versionId);
  await page.getByText(`Sessions of the version ${versionId}`).waitFor();
  await becomes(() => page.locator('main tbody tr').count(), 2);
  await look(opened, projectId);
  await page.waitForURL(/\/console\/sessions\?/);
  expect(placeOf(page.url())).toEqual(['sessions', { projectId }]);
  await page.goBack();
  await page.getByText(`Current sessions of the project ${projectId}`).waitFor();
  expect(await violationsIn(page)).toEqual([]);
  expect(opened.complaints).toEqual([]);
  await page.close();
});

testInBrowser('a handle is found; its value is shown nowhere and stands in no address', async () => {
  const userId = newUser();
  const value = `secret/${newUser()}`;
  const handle = { kind: 'mcp-transport', value, binds: 'session' };
  const { sessionId } = await start({ userId, handles: [handle] });
  const opened = await openFind();
  const { page } = opened;
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('framenavigated', (frame) => addresses.push(frame.url()));
  await page.locator('input[name=find]').fill(`handle:mcp-transport:${value}`);
  expect(
    await page.evaluate("getComputedStyle(document.querySelector('input[name=find]')).webkitTextSecurity"),
  ).toBe('disc');
  await page.locator('input[name=find]').press('Enter');
  await page.waitForURL(`**/console/session?id=${sessionId}`);
  await page.getByRole('heading', { name: 'Facts' }).waitFor();
  expect(addresses.join(' ')).not.toMatch(/secret/);
  expect(await page.content()).not.toContain(value);
  await becomes(() => page.locator('input[name=find]').inputValue(), '');

  // Of a session that another has superseded, where it led to is said.
  await start({ userId, owner: cloudDebug });
  await look(opened, `handle:mcp-transport:${value}`);
  await page.getByText('is not current').waitFor();
  await look(opened, `handle:mcp-transport:${value}-else`);
  await page.getByText('The handle is not bound').waitFor();
  await look(opened, 'handle:nothing');
  await page.getByText('A handle is handle:<kind>:<value>').waitFor();
  expect(addresses.join(' ')).not.toMatch(/secret/);
  // A browser notes each answer that is no success.
  expect(opened.complaints.filter((text) => !/status of (404|409)/.test(text))).toEqual([]);
  await page.close();
});

testInBrowser('what there is not is said, and so is what can be no id', async () => {
  const opened = await openFind();
  const { page } = opened;
  for (const text of ['nobody', 'nobody nowhere', '01920000-0000-7003-8000-000000000000', '"no body"']) {
    await look(opened, text);
    await page.getByText(`Nothing was found for ${text}:`).waitFor();
  }
  await look(opened, 'x'.repeat(257));
  await page.getByText('an id has 1 to 256 characters').waitFor();
  expect(await violationsIn(page)).toEqual([]);
  expect(opened.complaints.filter((text) => !/status of 404/.test(text))).toEqual([]);
  await page.close();
});
