import type { OperationId } from './generated/api.js';

/** What an answer has to have: the names of members, and of what type they are. */
export type Shape = string | { readonly [member: string]: Shape };

type Stream = 'feedStream' | 'scopeStream' | 'snapshot';

const session = {
  sessionId: 'string',
  scope: { userId: 'string', projectId: 'string' },
  status: 'string',
  epoch: 'number',
  revision: 'number',
} as const;
const command = {
  outcome: 'string',
  session,
  position: { partition: 'number', sequence: 'number' },
} as const;
const events = { events: 'array' } as const;
const sessions = { sessions: 'array' } as const;

/**
 * By what an answer is known for the ledger's: what every version gives, and callers cannot do without. Whatever
 * else it has, or lacks, is an older or a newer ledger's right; so what later versions add does not belong here.
 */
const SHAPES = {
  startSession: command,
  activateSession: command,
  rotateSession: command,
  releaseOwnership: command,
  claimOwnership: command,
  endSession: command,
  renewLease: { outcome: 'string', sessionId: 'string', until: 'string' },
  renewLeases: { results: 'array' },
  touchSession: command,
  changeAttributes: command,
  changeHandles: command,
  resolve: { session },
  startBulk: { jobId: 'string', state: 'string' },
  bulkJob: { jobId: 'string', state: 'string' },
  eraseDetails: { outcome: 'string' },
  recordUsage: command,
  markCheckpoint: command,
  reportInvalid: command,
  checkpoints: { checkpoints: 'array' },
  currentSession: session,
  sessions,
  chain: sessions,
  usage: {},
  transitions: { transitions: 'array' },
  report: { taken: 'number' },
  withdrawReports: { withdrawn: 'number' },
  stats: { ledger: { heads: 'array' } },
  session,
  scopeEvents: events,
  feed: events,
  problem: { type: 'string' },
} as const satisfies Record<Exclude<OperationId, Stream>, Shape>;

/**
 * Whether the operation is one command: obeyed as a whole or not at all, and answered again under the same key. Of a
 * lease that was only renewed no receipt tells.
 */
export function isOneCommand(id: OperationId): boolean {
  return (SHAPES as Partial<Record<OperationId, Shape>>)[id] === command && id !== 'touchSession';
}

/** Of the operation's answer; streams have none. */
export function shapeOf(id: OperationId, query: object = {}): Shape | undefined {
  if (id === 'currentSession' && 'all' in query && query.all === true) return sessions;
  return (SHAPES as Partial<Record<OperationId, Shape>>)[id];
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
