import {
  attributesJson,
  drafts,
  type Naming,
  type Problem,
  ProblemError,
  positionText,
  problemBody,
  type SessionDraft,
  type SessionRequests,
  startDraft,
} from '#protocol';
import { type Instant, type JsonObject, parseScopeKey, partitionOf, type SessionId } from '#session';
import { hasDetails } from './known.js';
import { type Answered, type Asked, anonymous, type Serving, scopeKeyOf } from './serving.js';
import type { Done, Scope, Store } from './store.js';

type Commands = Pick<
  Serving,
  keyof SessionRequests | 'startSession' | 'changeAttributes' | 'renewLeases' | 'eraseDetails'
>;
/** Operations that come to one command for a session, which the body says. */
type Plain = Exclude<keyof SessionRequests, 'renewLease'>;
type AskedOf<Body> = Pick<Asked<Plain>, 'params' | 'receipt'> & { body: Body };

/** Most scopes whose details one request erases. */
const MOST_ERASED = 500;

/** Serves what changes something. */
export function commands(store: Store): Commands {
  const naming: Naming = {
    handle: (name) => store.names.handle(name),
    successorOf: (sessionId) => store.newSessionId(named(store, sessionId).partition),
  };

  function forSession<Id extends Plain>(id: Id) {
    return ({ params: { sessionId }, body, receipt }: AskedOf<SessionRequests[Id]>): Answered =>
      answer(store, execute(drafts[id](sessionId, body, naming), receipt));
  }

  function execute(draft: SessionDraft, receipt: Asked<Plain>['receipt']): Done {
    const { scopeKey } = named(store, draft.sessionId);
    return store.execute({ command: { ...draft, ...anonymous }, scopeKey, receipt });
  }

  function renew(sessionId: SessionId, body: { epoch: number }): { until: Instant } | { problem: Problem } {
    const scope = store.scopeOf(sessionId);
    if (!scope) return { problem: { code: 'unknown-session' } };
    const done = execute(drafts.renewLease(sessionId, body, naming), undefined);
    const problem = problemOf(store, done);
    return problem ? { problem } : { until: scope.due ?? '' };
  }

  return {
    startSession({ body, receipt }) {
      const scopeKey = scopeKeyOf(body);
      const sessionId = store.newSessionId(partitionOf(scopeKey, store.partitions));
      const details = body.attributes && store.details.fresh(attributesJson(body.attributes));
      const command = { ...startDraft(body, parseScopeKey(scopeKey), sessionId, naming), ...anonymous };
      if (details) command.attributesDigest = details.digest;
      return answer(store, store.execute({ command, scopeKey, receipt, details }));
    },
    activateSession: forSession('activateSession'),
    rotateSession: forSession('rotateSession'),
    releaseOwnership: forSession('releaseOwnership'),
    claimOwnership: forSession('claimOwnership'),
    endSession: forSession('endSession'),
    touchSession: forSession('touchSession'),
    changeHandles: forSession('changeHandles'),
    recordUsage: forSession('recordUsage'),
    markCheckpoint: forSession('markCheckpoint'),
    reportInvalid: forSession('reportInvalid'),
    changeAttributes({ params: { sessionId }, body: { attributes, ...body }, receipt }) {
      const patch: JsonObject = JSON.parse(attributesJson(attributes));
      const { scopeKey } = named(store, sessionId);
      const draft = { type: 'ChangeAttributes', ...body, sessionId, attributesDigest: undefined } as const;
      return answer(store, store.execute({ command: { ...draft, ...anonymous }, scopeKey, receipt, patch }));
    },
    renewLease({ params: { sessionId }, body }) {
      const renewed = renew(sessionId, body);
      return 'problem' in renewed ? renewed : { body: { outcome: 'renewed', sessionId, ...renewed } };
    },
    renewLeases({ body }) {
      if (new Set(body.map(({ sessionId }) => sessionId)).size < body.length) {
        throw new ProblemError('invalid-request', 'body names a session twice');
      }
      const results = body.map(({ sessionId, epoch }) => {
        const renewed = renew(sessionId, { epoch });
        if ('until' in renewed) return { outcome: 'renewed', sessionId, ...renewed };
        return { sessionId, problem: problemBody(renewed.problem) };
      });
      return { body: { results } };
    },
    eraseDetails({ query }) {
      const isMeant = (scope: Scope) =>
        hasDetails(scope, store) &&
        (query.projectId === undefined
          ? parseScopeKey(scope.scopeKey).userId === query.userId
          : scope.scopeKey === scopeKeyOf(query));
      const found = store.scopes().filter(isMeant);
      const erased = found.slice(0, MOST_ERASED).map(({ scopeKey }) => {
        const scope = parseScopeKey(scopeKey);
        const done = store.execute({ command: { type: 'EraseScope', scope, ...anonymous }, scopeKey });
        if (!('outcome' in done)) throw new Error('an erasure was not obeyed');
        const { userId, projectId } = scope;
        return { scope: { userId, projectId }, position: done.position };
      });
      const [first, ...others] = erased;
      const position = first && others.length === 0 && { 'ledger-position': positionText(first.position) };
      const outcome = first ? 'erased' : 'unchanged';
      return {
        headers: { ...position },
        body: { outcome, erased, complete: found.length <= MOST_ERASED },
      };
    },
  };
}

function named(store: Store, sessionId: SessionId): Scope {
  const scope = store.scopeOf(sessionId);
  if (!scope) throw new ProblemError('unknown-session');
  return scope;
}

/** Answers a command as the service does. */
function answer(store: Store, done: Done): Answered {
  const headers = 'position' in done ? { 'ledger-position': positionText(done.position) } : {};
  const problem = problemOf(store, done);
  if (!('outcome' in done)) return { headers, ...(problem && { problem }) };
  const { outcome, session, current, retryAfter, ignored, dropped, position, replayed } = done;
  return {
    status: outcome === 'started' ? 201 : 200,
    headers: {
      ...headers,
      ...(replayed && { 'idempotency-replayed': 'true' }),
      ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
    },
    body: {
      outcome,
      session: store.details.shown(session),
      ...(current !== undefined && { current: current && store.details.shown(current) }),
      ...(ignored && { ignored }),
      ...(dropped && { dropped }),
      ...(retryAfter !== undefined && { retryAfter }),
      position,
    },
  };
}

/** Why a command was not obeyed; undefined when it was. */
function problemOf(store: Store, done: Done): Problem | undefined {
  if ('problem' in done) return done.problem;
  if (!('refusal' in done)) return undefined;
  const { code, current, until, handle, retryAfter } = done.refusal;
  const shown = current && { current: store.details.shown(current) };
  return { code, retryAfter, more: { ...(until && { until }), ...(handle && { handle }), ...shown } };
}
