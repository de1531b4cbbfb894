import type { Permission } from '#api';
import { MemoryLedger } from '#memory-ledger';
import { by, startGuarded } from '../support/access/guarded.js';
import { ask, type Call } from '../support/http.js';
import { newUser } from '../support/sessions.js';

/** Who did it, and who may: the same in the service and in the ledger that users test with. */

// biome-ignore lint/suspicious/noExplicitAny: answers of any operation
type Asker = (path: string, call?: Call) => Promise<{ status: number; body: any }>;
type Who = 'owner' | 'stranger' | 'operator' | 'abroad';

const PEOPLE: Record<Who, { tenant: string; permissions: Permission[] }> = {
  owner: { tenant: 'red', permissions: ['read', 'write'] },
  stranger: { tenant: 'red', permissions: ['read', 'write'] },
  operator: { tenant: 'red', permissions: ['read', 'write', 'operate'] },
  abroad: { tenant: 'blue', permissions: ['read', 'write', 'operate'] },
};
const people = Object.entries(PEOPLE) as [Who, (typeof PEOPLE)[Who]][];

const ledgers: Record<string, Record<Who, Asker>> = {};
beforeAll(async () => {
  const { service, key } = await startGuarded();
  const memory = new MemoryLedger();
  const [ofService, ofMemory]: [Partial<Record<Who, Asker>>, Partial<Record<Who, Asker>>] = [{}, {}];
  for (const [principal, who] of people) {
    const { secret } = await key({ ...who, principal });
    ofService[principal] = (path, call = {}) =>
      ask(`${service.url}${path}`, { ...call, headers: { ...call.headers, ...by(secret) } });
    const send = memory.fetchAs({ ...who, principal });
    ofMemory[principal] = (path, call = {}) => ask(`http://memory.ledger${path}`, { ...call, send });
  }
  Object.assign(ledgers, { service: ofService, memory: ofMemory });
});

const codeOf = ({ status, body }: Awaited<ReturnType<Asker>>) =>
  status < 300 ? 'ok' : body.type.replace('/problems/', '');
const owner = { environment: 'cloud-dev' };

/** What each may do to the owner's session: by the words of the API, whether forced or not. */
const acts: Record<string, (epoch: number) => [path: string, body: object]> = {
  renew: (epoch) => ['renew', { epoch }],
  touch: () => ['touch', {}],
  usage: () => ['usage', { usage: { inputTokens: 2 ** 52 } }],
  checkpoint: () => ['checkpoints', { label: 'v1' }],
  rotate: (epoch) => ['rotate', { epoch, reason: 'build' }],
  release: (epoch) => ['release', { epoch }],
  'forced release': (epoch) => ['release', { epoch, force: true }],
  end: (epoch) => ['end', { epoch, origin: owner, reason: 'r' }],
  'forced end': (epoch) => ['end', { epoch, origin: { environment: 'x' }, reason: 'r', force: true }],
  'forced claim': (epoch) => ['claim', { epoch, owner: { environment: 'x' }, force: true }],
};

function allowed(who: Who, act: string): string {
  if (who === 'abroad') return 'unknown-session';
  if (who === 'operator') return 'ok';
  if (act.startsWith('forced')) return 'operate-required';
  return who === 'owner' ? 'ok' : 'not-owner';
}

describe.each(['service', 'memory'])('%s', (which) => {
  const start = async (userId: string) => {
    const body = { userId, owner, lease: { seconds: 600, renewOn: 'use' } };
    return (await ledgers[which]!.owner('/v1/sessions', { body })).body.session;
  };

  test.each(people.flatMap(([who]) => Object.keys(acts).map((act) => [who, act] as const)))(
    '%s: %s',
    async (who, act) => {
      const userId = newUser();
      const { sessionId, epoch } = await start(userId);
      const [path, body] = acts[act]!(epoch);
      const answer = await ledgers[which]![who](`/v1/sessions/${sessionId}/${path}`, { body });
      expect(codeOf(answer)).toBe(allowed(who, act));
      const { body: page } = await ledgers[which]!.owner(`/v1/events?userId=${userId}`);
      const [first, ...others] = page.events;
      expect(first.principal).toBe('owner');
      for (const event of others) expect([event.type, event.principal]).toEqual([event.type, who]);
      if (allowed(who, act) !== 'ok') {
        const now = (await ledgers[which]!.owner(`/v1/current?userId=${userId}`)).body;
        expect([now.sessionId, now.epoch, now.usage]).toEqual([sessionId, epoch, undefined]);
      }
    },
  );

  test('what time alone brings about names nobody', async () => {
    const userId = newUser();
    const body = { userId, owner, lease: { seconds: 1, graceSeconds: 600 } };
    await ledgers[which]!.owner('/v1/sessions', { body });
    const { body: released } = await ledgers[which]!.owner(`/v1/current?userId=${userId}&wait=10&after=1`);
    expect(released.status).toBe('released');
    const { events } = (await ledgers[which]!.owner(`/v1/events?userId=${userId}`)).body;
    expect(events.map(({ principal }: { principal?: string }) => principal)).toEqual(['owner', undefined]);
  });

  test('a renewal of many is told for each whether it was its own', async () => {
    const mine = await start(newUser());
    const body = [{ sessionId: mine.sessionId, epoch: 1 }];
    const told = async (who: Who) => {
      const [one] = (await ledgers[which]![who]('/v1/leases/renew', { body })).body.results;
      return one.outcome ?? one.problem.type;
    };
    const all = await Promise.all(Array.from({ length: 20 }, () => people.map(([who]) => told(who))).flat());
    const expected = ['renewed', '/problems/not-owner', 'renewed', '/problems/unknown-session'];
    expect(all).toEqual(Array.from({ length: 20 }, () => expected).flat());
  });

  test('the same users, projects, handles and idempotency keys in two tenants never meet', async () => {
    const userId = newUser();
    const handles = [{ kind: 'agent', value: userId, binds: 'session' }];
    const call = { body: { userId, owner, handles }, headers: { 'idempotency-key': userId } };
    const red = (await ledgers[which]!.owner('/v1/sessions', call)).body.session;
    const blue = (await ledgers[which]!.abroad('/v1/sessions', call)).body.session;
    expect([red.epoch, blue.epoch, red.sessionId === blue.sessionId]).toEqual([1, 1, false]);
    const candidates = [{ kind: 'agent', value: userId }];
    const resolved = await ledgers[which]!.abroad('/v1/resolve', { body: { candidates } });
    expect(resolved.body.session.sessionId).toBe(blue.sessionId);
    const byId = { candidates: [{ sessionId: red.sessionId, epoch: 1 }] };
    expect(codeOf(await ledgers[which]!.abroad('/v1/resolve', { body: byId }))).toBe('unknown-session');
    expect(codeOf(await ledgers[which]!.abroad(`/v1/sessions/${red.sessionId}`))).toBe('unknown-session');
  });
});
