import type {
  ActivateSession,
  ChainPolicy,
  ChangeHandles,
  ClaimOwnership,
  Command,
  EndSession,
  MarkCheckpoint,
  ReleaseOwnership,
  RenewLease,
  ReportInvalid,
  RotateSession,
  Scope,
  SessionCommand,
  SessionId,
  StartSession,
} from '#session';
import { type LeaseRequest, leaseTerms } from './lease-terms.js';
import { handlesOf, type Naming, type NewOutsideName, type OutsideName } from './names.js';
import { ProblemError } from './problem-error.js';
import { type ReportedUsage, usageOf } from './usage.js';

/** A command that nobody has said yet when and for whom. */
type Untagged<T extends Command> = T extends unknown ? Omit<T, 'at' | 'principal' | 'operate'> : never;
export type SessionDraft = Untagged<SessionCommand>;

/** What the body of a request says of a command. */
type Said<T> = Omit<T, 'type' | 'at' | 'principal' | 'operate' | 'sessionId'>;
type Renamed = 'handles' | 'successorHandle';

export interface StartRequest {
  userId: string;
  projectId?: string;
  owner: StartSession['owner'];
  onConflict?: StartSession['onConflict'];
  expectedEpoch?: number;
  phase?: 'starting' | 'active';
  lease?: LeaseRequest;
  handles?: readonly NewOutsideName[];
  policy?: ChainPolicy;
  fromCheckpoint?: string;
}

/** The bodies of the requests for a session, by operation. Those of attributes need more than the body. */
export interface SessionRequests {
  activateSession: Said<ActivateSession>;
  rotateSession: Omit<Said<RotateSession>, 'successorId' | 'usage' | Renamed> & {
    usage?: ReportedUsage;
    successorHandle?: OutsideName;
    handles?: readonly NewOutsideName[];
  };
  releaseOwnership: Said<ReleaseOwnership>;
  claimOwnership: Omit<Said<ClaimOwnership>, 'lease'> & { lease?: LeaseRequest };
  endSession: Said<EndSession>;
  renewLease: Said<RenewLease>;
  touchSession: object;
  changeHandles: Omit<Said<ChangeHandles>, 'bind' | 'unbind'> & {
    bind?: readonly NewOutsideName[];
    unbind?: readonly OutsideName[];
  };
  recordUsage: { usage: ReportedUsage };
  markCheckpoint: Said<MarkCheckpoint>;
  reportInvalid: Omit<Said<ReportInvalid>, 'successorId' | 'fallback'> &
    Partial<Pick<ReportInvalid, 'fallback'>>;
}

/** How long a released session waits for the owner that it is meant for, unless the request says. */
const RESERVED_SECONDS = 60;

/** Which command a request for a session means. They throw `invalid-request` for what no schema can say. */
export const drafts: {
  [Id in keyof SessionRequests]: (
    sessionId: SessionId,
    body: SessionRequests[Id],
    naming: Naming,
  ) => SessionDraft;
} = {
  activateSession: (sessionId, body) => ({ type: 'ActivateSession', ...body, sessionId }),
  rotateSession(sessionId, { successorHandle, handles = [], usage, ...body }, naming) {
    const names = successorHandle ? [{ ...successorHandle, binds: 'session' as const }, ...handles] : handles;
    const bound = handlesOf(names, naming);
    const successor = successorHandle && bound.shift();
    return {
      type: 'RotateSession',
      ...body,
      sessionId,
      successorId: naming.successorOf(sessionId),
      ...(usage && { usage: usageOf(usage) }),
      ...(successor && { successorHandle: successor }),
      ...(bound.length > 0 && { handles: bound }),
    };
  },
  releaseOwnership(sessionId, body) {
    if (body.reservedSeconds && !body.to) {
      throw new ProblemError('invalid-request', 'body.reservedSeconds needs body.to: whom to reserve it for');
    }
    return { type: 'ReleaseOwnership', reservedSeconds: RESERVED_SECONDS, ...body, sessionId };
  },
  claimOwnership: (sessionId, { lease, ...body }) => ({
    type: 'ClaimOwnership',
    ...body,
    sessionId,
    ...(lease && { lease: leaseTerms(lease) }),
  }),
  endSession: (sessionId, body) => ({ type: 'EndSession', ...body, sessionId }),
  renewLease: (sessionId, body) => ({ type: 'RenewLease', ...body, sessionId }),
  touchSession: (sessionId) => ({ type: 'TouchSession', sessionId }),
  changeHandles(sessionId, { bind = [], unbind = [], ...body }, naming) {
    // Together, so that none is bound and unbound at once.
    handlesOf([...bind, ...unbind], naming);
    return {
      type: 'ChangeHandles',
      ...body,
      sessionId,
      bind: handlesOf(bind, naming),
      unbind: handlesOf(unbind, naming),
    };
  },
  recordUsage: (sessionId, { usage }) => ({ type: 'RecordUsage', usage: usageOf(usage), sessionId }),
  markCheckpoint: (sessionId, body) => ({ type: 'MarkCheckpoint', ...body, sessionId }),
  reportInvalid: (sessionId, body, naming) => ({
    type: 'ReportInvalid',
    fallback: 'latest-valid',
    ...body,
    sessionId,
    successorId: naming.successorOf(sessionId),
  }),
};

/** The command of a start. Throws `invalid-request` for what no schema can say. */
export function startDraft(
  body: StartRequest,
  scope: Scope,
  sessionId: SessionId,
  naming: Pick<Naming, 'handle'>,
): Untagged<StartSession> {
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
  const draft: Untagged<StartSession> = { type: 'StartSession', sessionId, scope, owner, onConflict };
  if (expectedEpoch !== undefined) draft.expectedEpoch = expectedEpoch;
  if (phase === 'starting') draft.phase = phase;
  if (lease) draft.lease = leaseTerms(lease);
  if (handles?.length) draft.handles = handlesOf(handles, naming);
  if (policy) draft.policy = chainPolicy(policy);
  if (fromCheckpoint !== undefined) draft.fromCheckpoint = fromCheckpoint;
  return draft;
}

/** Throws `invalid-request` for a policy that would advise a reset when it is too late. */
function chainPolicy(policy: ChainPolicy): ChainPolicy {
  const { maxChainLength, adviseAt } = policy;
  if (adviseAt !== undefined && maxChainLength !== undefined && adviseAt > maxChainLength) {
    throw new ProblemError('invalid-request', 'body.policy.adviseAt must be <= body.policy.maxChainLength');
  }
  return policy;
}
