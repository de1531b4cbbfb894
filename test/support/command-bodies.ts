import { type Operation, operations } from '#api/schemas';
import type { Operations } from '#client';
import { cloudDebug, cloudDev } from './sessions.js';

/** Every operation that commands something for a session. */
export type SessionCommand = {
  [Id in keyof Operations]: Operations[Id] extends { params: { sessionId: string } }
    ? 'body' extends keyof Operations[Id]
      ? Id
      : never
    : never;
}[keyof Operations];

type Body<Id extends SessionCommand> = Omit<Operations[Id]['body'] & object, 'epoch'>;

type Bodies = { readonly [Id in SessionCommand]: readonly ((userId: string) => Body<Id>)[] };

/** What those may be asked with that mean different things, the plainest first. */
const various: Partial<Bodies> = {
  activateSession: [() => ({ owner: cloudDev }), () => ({})],
  rotateSession: [
    () => ({ reason: 'build', owner: cloudDev }),
    () => ({ reason: 'reset', versionId: 'v2' }),
    (userId) => ({ reason: 'build', successorHandle: { kind: 'provider', value: `first ${userId}` } }),
    () => ({ reason: 'compact', usage: { inputTokens: 7, cost: { amount: '0.1', currency: 'EUR' } } }),
  ],
  releaseOwnership: [() => ({}), () => ({ owner: cloudDebug, to: cloudDev }), () => ({ force: true })],
  claimOwnership: [
    () => ({ owner: cloudDev, lease: { seconds: 60 } }),
    () => ({ owner: cloudDebug }),
    () => ({ owner: cloudDebug, force: true }),
  ],
  endSession: [
    () => ({ origin: cloudDev, reason: 'late' }),
    () => ({ origin: cloudDebug, reason: 'late' }),
    () => ({ origin: cloudDebug, reason: 'late', force: true }),
    () => ({ origin: cloudDev, reason: 'late', drainSeconds: 60 }),
  ],
  changeAttributes: [() => ({ attributes: { a: 1, b: null } })],
  changeHandles: [
    (userId) => ({ bind: [{ kind: 'k', value: userId, binds: 'session' }] }),
    (userId) => ({
      bind: [{ kind: 'k', value: userId, binds: 'scope' }],
      unbind: [{ kind: 'provider', value: 'other' }],
    }),
  ],
  reportInvalid: [
    () => ({ certainty: 'definite', reason: 'unknown' }),
    () => ({ certainty: 'definite', reason: 'unknown', fallback: 'start-fresh' }),
    () => ({ certainty: 'transient', reason: 'busy' }),
  ],
  recordUsage: [() => ({ usage: { outputTokens: 3, durationMs: 5, model: 'm' } })],
};

/** What each may be asked with, besides the epoch, for a session of cloud-dev: its example, unless it says more. */
export const commandBodies = Object.fromEntries(
  Object.entries<Operation>(operations)
    .filter(([, { path, body }]) => path.includes(':sessionId') && body)
    .map(([id, { example }]) => {
      const { epoch: _, ...body } = example as { epoch?: number };
      return [id, various[id as SessionCommand] ?? [() => body]];
    }),
) as Bodies;

/** Whether a command names the epoch under which it is sent. */
export function takesEpoch(id: SessionCommand): boolean {
  const { body } = operations[id] as { body?: { properties?: object } };
  return 'epoch' in (body?.properties ?? {});
}
