import {
  type ChainPolicy,
  COMMAND_TYPES,
  type Draft,
  type SessionId,
  type StartSession,
  type Untimed,
} from '#session';
import type { Answered, Asked, Serving } from '../asked.js';
import { type Caller, checkEnvironments } from '../caller.js';
import type { Ledger, Naming, Submission } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { attributesJson } from '../request/attributes.js';
import { leaseTerms } from '../request/lease-terms.js';
import { handlesOf, type OutsideName } from '../request/outside-names.js';
import { usageOf } from '../request/reported-usage.js';
import { answered } from './answers.js';
import { type Keyed, receiptOf } from './receipts.js';
import { handleOf, placeOf, scopeOf } from './scopes.js';

/** Commands that are served elsewhere, or sent by the ledger alone. Each other one has an operation of its name. */
const elsewhere = { StartSession: true, RenewLease: true, EraseScope: true, SettleSession: true } as const;
type Sent = Exclude<Draft['type'], keyof typeof elsewhere>;
/** Operations that come to one command for the session in their path. */
type ForSession = Uncapitalize<Sent>;

type Without<T, Key extends PropertyKey> = T extends unknown ? Omit<T, Key> : never;
/** A command for a session that nobody has said yet when and for whom. */
type Unsaid = Without<Extract<Draft, { type: Sent }>, 'principal' | 'operate' | 'sessionId'>;

/** What a request for a session does not say itself: how the ledger knows an outside name, and an id for a successor. */
class Names {
  constructor(
    private readonly caller: Caller,
    private readonly sessionId: SessionId,
    private readonly ledger: Naming,
  ) {}

  readonly handle = (name: OutsideName) => handleOf(this.caller, name, this.ledger);

  /** In the partition of the session that it is to follow: it has the same scope. */
  successor(): SessionId {
    return this.ledger.newSessionId(placeOf(this.sessionId, this.ledger));
  }
}

/** How long a released session waits for the owner that it is meant for, unless the request says. */
const RESERVED_SECONDS = 60;

/** Serves an operation for a session: `said` is the command that its body means. Throws `invalid-request`. */
function forSession<Id extends ForSession>(
  said: (body: Asked<Id>['body'], names: Names) => Unsaid,
  more?: (body: Asked<Id>['body']) => Pick<Submission, 'patch'>,
) {
  return async (asked: Asked<Id>, ledger: Ledger): Promise<Answered> => {
    const { caller, body } = asked;
    const { sessionId } = asked.params as { sessionId: SessionId };
    const command = Object.assign(said(body, new Names(caller, sessionId, ledger)), { sessionId });
    const submission = submissionOf(asked as Keyed, command, placeOf(sessionId, ledger), ledger);
    return answered(await ledger.submit(more ? Object.assign(submission, more(body)) : submission));
  };
}

/** A command on its way: who asks for it, and under which key. */
export function submissionOf(asked: Keyed, said: object, partition: number, naming: Naming): Submission {
  const { tenant, principal, operate } = asked.caller;
  checkEnvironments(asked.caller, asked.body);
  const command = Object.assign(said, { principal, operate }) as Draft;
  const submission: Submission = { command, tenant, partition, commandId: naming.newCommandId() };
  const receipt = receiptOf(asked, naming);
  if (receipt) submission.receipt = receipt;
  if (asked.traceparent !== undefined) submission.traceparent = asked.traceparent;
  return submission;
}

/** What a start is on its way to the log. Throws `invalid-request` for what no schema can say. */
export function startOf(asked: Keyed & { body: Asked<'startSession'>['body'] }, ledger: Naming): Submission {
  const { caller, body } = asked;
  const { scope, scopeKey, partition } = scopeOf(caller, body, ledger);
  const {
    owner,
    onConflict = 'supersede',
    expectedEpoch,
    phase,
    lease,
    handles,
    policy,
    fromCheckpoint,
  } = body;
  const command: Omit<Untimed<StartSession>, 'principal' | 'operate'> = {
    type: 'StartSession',
    sessionId: ledger.newSessionId(partition),
    scope,
    owner,
    onConflict,
  };
  if (expectedEpoch !== undefined) command.expectedEpoch = expectedEpoch;
  if (phase === 'starting') command.phase = phase;
  if (lease) command.lease = leaseTerms(lease);
  if (handles?.length) command.handles = handlesOf(handles, (name) => handleOf(caller, name, ledger));
  if (policy) command.policy = chainPolicy(policy);
  if (fromCheckpoint !== undefined) command.fromCheckpoint = fromCheckpoint;
  const details = body.attributes && ledger.newDetails(attributesJson(body.attributes));
  if (details) command.attributesDigest = details.digest;
  const submission = submissionOf(asked, command, partition, ledger);
  submission.scopeKey = scopeKey;
  if (details) submission.details = details;
  return submission;
}

/** Throws `invalid-request` for a policy that would advise a reset when it is too late. */
function chainPolicy(policy: ChainPolicy): ChainPolicy {
  const { maxChainLength, adviseAt } = policy;
  if (adviseAt !== undefined && maxChainLength !== undefined && adviseAt > maxChainLength) {
    throw new ProblemError('invalid-request', 'body.policy.adviseAt must be <= body.policy.maxChainLength');
  }
  return policy;
}

type Said<Id extends ForSession> = Required<Omit<Extract<Unsaid, { type: Capitalize<Id> }>, 'type'>>;
type Body<Id extends ForSession> = Required<Asked<Id>['body']>;
/** Operations whose body says all that their command says, and nothing else. */
type Plain = {
  [Id in ForSession]: [Said<Id>, Body<Id>] extends [Body<Id>, Said<Id>] ? Id : never;
}[ForSession];

const plain = Object.fromEntries(
  COMMAND_TYPES.filter((type) => !(type in elsewhere)).map((type) => [
    `${type.charAt(0).toLowerCase()}${type.slice(1)}`,
    forSession<Plain>((body) => ({ type, ...body }) as Unsaid),
  ]),
) as Pick<Serving, Plain>;

/** What a body leaves to the ledger, or says otherwise than its command. */
const other: Pick<Serving, Exclude<ForSession, Plain> | 'releaseOwnership' | 'startSession'> = {
  startSession: async (asked, ledger) => answered(await ledger.submit(startOf(asked, ledger))),
  rotateSession: forSession(({ successorHandle, handles = [], usage, ...body }, names) => {
    const given = successorHandle ? [{ ...successorHandle, binds: 'session' as const }, ...handles] : handles;
    const bound = handlesOf(given, names.handle);
    const successor = successorHandle && bound.shift();
    return {
      type: 'RotateSession',
      ...body,
      successorId: names.successor(),
      ...(usage && { usage: usageOf(usage) }),
      ...(successor && { successorHandle: successor }),
      ...(bound.length > 0 && { handles: bound }),
    };
  }),
  releaseOwnership: forSession((body) => {
    if (body.reservedSeconds && !body.to) {
      throw new ProblemError('invalid-request', 'body.reservedSeconds needs body.to: whom to reserve it for');
    }
    return { type: 'ReleaseOwnership', reservedSeconds: RESERVED_SECONDS, ...body };
  }),
  claimOwnership: forSession(({ lease, ...body }) => ({
    type: 'ClaimOwnership',
    ...body,
    ...(lease && { lease: leaseTerms(lease) }),
  })),
  changeAttributes: forSession(
    ({ attributes: _, ...body }) => ({ type: 'ChangeAttributes', ...body, attributesDigest: undefined }),
    ({ attributes }) => ({ patch: JSON.parse(attributesJson(attributes)) }),
  ),
  changeHandles: forSession(({ bind = [], unbind = [], ...body }, { handle }) => {
    // Together, so that none is bound and unbound at once.
    handlesOf([...bind, ...unbind], handle);
    return {
      type: 'ChangeHandles',
      ...body,
      bind: handlesOf(bind, handle),
      unbind: handlesOf(unbind, handle),
    };
  }),
  recordUsage: forSession(({ usage }) => ({ type: 'RecordUsage', usage: usageOf(usage) })),
  reportInvalid: forSession((body, names) => ({
    type: 'ReportInvalid',
    fallback: 'latest-valid',
    ...body,
    successorId: names.successor(),
  })),
};

/** The operations that come to one command: which one, of what the body says. */
export const commands: Pick<Serving, ForSession | 'startSession'> = { ...plain, ...other };
