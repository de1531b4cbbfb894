import type { CommandAnswer, Owner, Session } from '#client';
import { call } from '../data/call';

/** What an operator fills in, by name. */
export type Given = Record<string, string>;

export interface Field {
  name: string;
  label: string;
  /** What is in it at first. */
  value?: string;
  /** One of these. */
  of?: readonly string[];
  type?: 'number';
  most?: number;
  isOptional?: true;
  hint?: string;
}

/** Something that an operator may do to a session, whoever owns it. */
export interface Act {
  name: string;
  title: string;
  /** What becomes of the session. */
  effect: string;
  isGrave?: true;
  isFor(session: Session): boolean;
  /** `environments`: those that a credential may speak for; undefined: any. */
  fields(environments: readonly string[] | undefined): Field[];
  /** The epoch is that which was shown: whatever has happened since, the ledger refuses to do it. */
  send(session: Session, given: Given, idempotencyKey: string): Promise<CommandAnswer>;
}

const of = ({ sessionId }: Session) => ({ sessionId });
const ownerOf = ({ environment = '', instance = '' }: Given): Owner => ({
  environment,
  ...(instance !== '' && { instance }),
});
const REASON: Field = {
  name: 'reason',
  label: 'Reason',
  most: 64,
  hint: 'The log keeps it forever. Enter no personal data.',
};
const INSTANCE: Field = { name: 'instance', label: 'Instance', most: 256, isOptional: true };
const environment = (label: string, environments: readonly string[] | undefined, value = ''): Field => ({
  ...{ name: 'environment', label, most: 256 },
  ...(environments ? { of: environments } : { value }),
});

const END: Act = {
  name: 'end',
  title: 'End',
  effect: 'The session ends for good. Its scope has no current session until a new one starts.',
  isGrave: true,
  isFor: ({ status }) => status !== 'ended',
  fields: (environments) => [
    REASON,
    environment('Origin: environment', environments, 'console'),
    {
      ...{ name: 'drainSeconds', label: 'Drain time, in seconds', type: 'number', most: 86_400 },
      ...{ isOptional: true, hint: 'If empty, the session ends at once.' },
    },
  ],
  send: (session, { reason = '', drainSeconds = '', ...origin }, idempotencyKey) =>
    call('endSession', {
      params: of(session),
      body: {
        ...{ epoch: session.epoch, origin: ownerOf(origin), reason, force: true },
        ...(drainSeconds !== '' && { drainSeconds: Number(drainSeconds) }),
      },
      idempotencyKey,
    }),
};

const INVALIDATE: Act = {
  name: 'invalidate',
  title: 'Invalidate',
  effect: 'The session ends as invalid and can never be continued. Its owner continues in a new one.',
  isGrave: true,
  isFor: ({ status, owner }) => owner !== undefined && status !== 'ended' && status !== 'ending',
  fields: () => [
    REASON,
    { name: 'fallback', label: 'The new session continues from', of: ['latest-valid', 'start-fresh'] },
  ],
  send: (session, { reason = '', fallback }, idempotencyKey) =>
    call('reportInvalid', {
      params: of(session),
      body: {
        ...{ epoch: session.epoch, certainty: 'definite', reason },
        fallback: fallback === 'start-fresh' ? fallback : 'latest-valid',
      },
      idempotencyKey,
    }),
};

const RELEASE: Act = {
  name: 'release',
  title: 'Release',
  effect:
    'The session stays current without an owner. Commands of its present owner are refused from then on.',
  isFor: ({ status }) => status === 'active' || status === 'starting',
  fields: (environments) => [
    {
      ...environment('Reserve it for: environment', environments && ['', ...environments]),
      ...{ isOptional: true, hint: 'If empty, any owner may claim it.' },
    },
    INSTANCE,
  ],
  send: (session, given, idempotencyKey) =>
    call('releaseOwnership', {
      params: of(session),
      body: { epoch: session.epoch, force: true, ...(given.environment !== '' && { to: ownerOf(given) }) },
      idempotencyKey,
    }),
};

const CLAIM: Act = {
  name: 'claim',
  title: 'Claim by force',
  effect:
    'Another owner takes over the session unchanged. Commands of its present owner are refused from then on.',
  isFor: ({ status }) => status !== 'ended' && status !== 'ending',
  fields: (environments) => [environment('New owner: environment', environments), INSTANCE],
  send: (session, given, idempotencyKey) =>
    call('claimOwnership', {
      params: of(session),
      body: { epoch: session.epoch, owner: ownerOf(given), force: true },
      idempotencyKey,
    }),
};

export const ACTS: readonly Act[] = [RELEASE, CLAIM, INVALIDATE, END];
