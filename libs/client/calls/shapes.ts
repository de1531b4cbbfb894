import { type AnswerName, answers, type OperationId } from '../generated/api.js';

/** What an answer has to have: the names of members, and of what type they are. */
export type Shape = string | { readonly [member: string]: Shape };

const session = {
  sessionId: 'string',
  scope: { userId: 'string', projectId: 'string' },
  status: 'string',
  epoch: 'number',
  revision: 'number',
} as const;
const sessions = { sessions: 'array' } as const;

/**
 * By what an answer is known for the ledger's: what every version gives, and callers cannot do without. Whatever
 * else it has, or lacks, is an older or a newer ledger's right; so what later versions add does not belong here, and
 * the shapes cannot be made from the schemas, which are this version's.
 */
const SHAPES: Record<AnswerName | 'CurrentPage', Shape> = {
  AuditKeys: { origin: 'string', keys: 'array' },
  Checkpoints: { checkpoints: 'array' },
  ConsistencyProof: { hashes: 'array' },
  KeptCheckpoints: { checkpoints: 'array' },
  AccessKey: { keyId: 'string' },
  BulkJob: { jobId: 'string', state: 'string' },
  CallerView: { principal: 'string', tenant: 'string', permissions: 'array' },
  ChainPage: sessions,
  CheckpointList: { checkpoints: 'array' },
  CommandAnswer: {
    outcome: 'string',
    session,
    position: { partition: 'number', sequence: 'number' },
  },
  CurrentList: sessions,
  CurrentPage: sessions,
  ErasedAnswer: { outcome: 'string' },
  EventPage: { events: 'array' },
  JobPage: { jobs: 'array' },
  KeyPage: { keys: 'array' },
  ManyAnswers: { answers: 'array' },
  ManyCurrent: { answers: 'array' },
  NewKey: { secret: 'string', key: { keyId: 'string' } },
  ProblemPage: { type: 'string' },
  Renewed: { outcome: 'string', sessionId: 'string', until: 'string' },
  RenewedMany: { results: 'array' },
  ReportsTaken: { taken: 'number' },
  ReportsWithdrawn: { withdrawn: 'number' },
  Resolved: { session },
  ScopeUsage: {},
  Session: session,
  SessionPage: sessions,
  SessionWithRefusals: session,
  Stats: { sync: { inSync: 'number' } },
  TransitionPage: { transitions: 'array' },
};

const answerOf = (id: OperationId) => (answers as Partial<Record<OperationId, AnswerName>>)[id];

/** Whether the operation may be sent as one of many. */
export function isCommand(id: OperationId): boolean {
  return answerOf(id) === 'CommandAnswer';
}

/**
 * Whether the operation is one command: obeyed as a whole or not at all, and answered again under the same key. Of a
 * lease that was only renewed no receipt tells.
 */
export function isOneCommand(id: OperationId): boolean {
  return isCommand(id) && id !== 'touchSession';
}

/** Of the operation's answer; streams have none. */
export function shapeOf(id: OperationId, query: object = {}): Shape | undefined {
  const name = answerOf(id);
  const isPage = name === 'Session' && 'all' in query && query.all === true;
  return name && SHAPES[isPage ? 'CurrentPage' : name];
}

export const PROBLEM: Shape = { type: 'string', title: 'string', status: 'number', retryable: 'boolean' };

/** Whether a value has the members of a shape. */
export function fits(value: unknown, shape: Shape | undefined): boolean {
  if (shape === undefined) return true;
  if (shape === 'array') return Array.isArray(value);
  if (typeof shape === 'string') return typeof value === shape;
  if (typeof value !== 'object' || value === null) return false;
  for (const name in shape) {
    if (!fits((value as Record<string, unknown>)[name], shape[name])) return false;
  }
  return true;
}
