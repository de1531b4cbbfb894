import { setTimeout as sleep } from 'node:timers/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ask } from '../support/http.js';
import { type Service, startService } from '../support/service.js';
import { type CommandBody, cloudDebug, cloudDev, newUser } from '../support/sessions.js';

// What /asyncapi.json says of events, held against events of every type.
interface Description {
  asyncapi: string;
  channels: Record<string, { address: string; messages: Record<string, { $ref: string }> }>;
  operations: Record<string, { channel: { $ref: string } }>;
  components: { messages: Record<string, { name: string }>; schemas: Record<string, object> };
}
type Event = { type: string; data: Record<string, unknown> };

let service: Service;
let description: Description;
beforeAll(async () => {
  service = await startService({ env: { LEDGER_PARTITIONS: '1', LEDGER_TOPIC: 'our.events' } });
  ({ body: description } = await ask<Description>(`${service.url}/asyncapi.json`));
});

const start = async (userId: string, more: object = {}) =>
  (await ask<CommandBody>(`${service.url}/v1/sessions`, { body: { userId, owner: cloudDev, ...more } })).body
    .session;
const to = async (sessionId: string, action: string, body: object, method = 'POST') => {
  const reply = await ask<CommandBody>(`${service.url}/v1/sessions/${sessionId}/${action}`, { method, body });
  expect(reply.status).toBe(200);
  return reply.body.session;
};

/** Makes at least one event of each type. */
async function makeAll(): Promise<void> {
  const userId = newUser();
  const usage = { inputTokens: 1, cost: { amount: '0.5', currency: 'EUR' }, model: 'm' };
  const handle = { kind: 'agent', value: newUser() };
  const first = await start(userId, { phase: 'starting', attributes: { a: 1 }, policy: { adviseAt: 2 } });
  await to(first.sessionId, 'activate', { epoch: 1 });
  await to(first.sessionId, 'attributes', { epoch: 1, attributes: { b: 2 } }, 'PATCH');
  await to(first.sessionId, 'handles', { epoch: 1, bind: [{ ...handle, binds: 'session' }] });
  await to(first.sessionId, 'handles', { epoch: 1, unbind: [handle] });
  await to(first.sessionId, 'checkpoints', { label: 'here' });
  const second = await to(first.sessionId, 'rotate', { epoch: 1, reason: 'build', versionId: 'v', usage });
  await to(first.sessionId, 'usage', { usage });
  await to(first.sessionId, 'checkpoints', { label: 'there' });
  await to(second.sessionId, 'invalid', { epoch: 2, certainty: 'transient', reason: 'slow' });
  const third = await to(second.sessionId, 'invalid', { epoch: 2, certainty: 'definite', reason: 'gone' });
  await to(first.sessionId, 'invalid', { epoch: 2, certainty: 'definite', reason: 'gone' });
  await to(third.sessionId, 'release', { epoch: 3, to: cloudDebug });
  await to(third.sessionId, 'claim', { epoch: 4, owner: cloudDebug });
  const fourth = await start(userId);
  await ask(`${service.url}/v1/sessions/${third.sessionId}/end`, {
    body: { epoch: 5, origin: cloudDebug, reason: 'late' },
  });
  await ask(`${service.url}/v1/details?userId=${userId}`, { method: 'DELETE' });
  await to(fourth.sessionId, 'end', { epoch: 6, origin: cloudDev, reason: 'done', drainSeconds: 60 });
  await to(fourth.sessionId, 'end', { epoch: 6, origin: cloudDev, reason: 'done' });
  await start(newUser(), { lease: { seconds: 1, graceSeconds: 0 } });
}

async function feed(): Promise<Event[]> {
  const { body } = await ask<{ events: Event[] }>(`${service.url}/v1/feed?partition=0&limit=500`);
  return body.events;
}
const typesOf = (events: readonly Event[]) => [...new Set(events.map(({ type }) => type))].sort();

test('every event is as its message says, and no message is without its event', async () => {
  await makeAll();
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(closed(description) as object, 'asyncapi');
  const messages = Object.entries(description.components.messages);
  const wanted = messages.map(([, { name }]) => name).sort();
  let events = await feed();
  // The reaper takes its time.
  for (const end = performance.now() + 20_000; performance.now() < end; events = await feed()) {
    if (typesOf(events).length === wanted.length) break;
    await sleep(100);
  }
  expect(typesOf(events)).toEqual(wanted);
  for (const event of events) {
    const [id] = messages.find(([, { name }]) => name === event.type) ?? [];
    const validate = ajv.getSchema(`asyncapi#/components/messages/${id}/payload`);
    expect([event, validate?.(event) || validate?.errors]).toEqual([event, true]);
  }
});

test('the topic is that of this ledger, and every reference leads somewhere', () => {
  expect(description.asyncapi).toBe('3.0.0');
  expect(description.channels.topic?.address).toBe('our.events');
  const references = [...JSON.stringify(description).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
    ([, path]) => path!,
  );
  expect(references.length).toBeGreaterThan(60);
  for (const path of new Set(references)) {
    const target = path
      .split('/')
      .reduce<unknown>((node, name) => (node as Record<string, unknown>)?.[name], description);
    expect([path, typeof target]).toEqual([path, 'object']);
  }
});

/** With every object closed, so that a member which is not described is an error. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const inner = Object.fromEntries(Object.entries(value).map(([name, part]) => [name, closed(part)]));
  return 'properties' in inner ? { ...inner, additionalProperties: false } : inner;
}
