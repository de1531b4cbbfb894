import type { Static, TSchema } from 'typebox';
import type { OperationId, operations } from './operations.js';

type Bodies = {
  [Id in OperationId as (typeof operations)[Id] extends { body: TSchema }
    ? Id
    : never]: (typeof operations)[Id] extends { body: infer Body extends TSchema } ? Static<Body> : never;
};

const ada = { userId: 'ada', projectId: 'captions' };
const owner = { environment: 'cloud-dev', instance: 'worker-7' };
const sessionId = '01920000-0000-7003-8000-000000000000';

/** A body of each operation that takes one, as the page of /docs offers it. Those for a session need its id and epoch. */
export const examples: Bodies = {
  startSession: { ...ada, owner, lease: { seconds: 60 }, attributes: { language: 'en' } },
  activateSession: { epoch: 1 },
  rotateSession: { epoch: 1, reason: 'build', versionId: 'v42' },
  releaseOwnership: { epoch: 1, owner, to: { environment: 'cloud-debug' }, reservedSeconds: 60 },
  claimOwnership: { epoch: 2, owner: { environment: 'cloud-debug' } },
  endSession: { epoch: 1, origin: owner, reason: 'finished' },
  touchSession: {},
  changeAttributes: { epoch: 1, attributes: { language: 'de', draft: null } },
  changeHandles: { epoch: 1, bind: [{ kind: 'mcp-transport', value: 'b7f1', binds: 'scope' }] },
  recordUsage: {
    usage: { inputTokens: 1_200, outputTokens: 300, cost: { amount: '0.0125', currency: 'USD' } },
  },
  markCheckpoint: { label: 'tests green' },
  reportInvalid: { epoch: 1, certainty: 'definite', reason: 'context lost' },
  renewLease: { epoch: 1 },
  renewLeases: [{ sessionId, epoch: 1 }],
  sendCommands: {
    commands: [{ operation: 'startSession', body: { ...ada, owner }, idempotencyKey: 'start-1' }],
  },
  currentSessions: { of: [ada, { sessionId }, { kind: 'mcp-transport', value: 'b7f1' }] },
  resolve: {
    candidates: [
      { kind: 'mcp-transport', value: 'b7f1' },
      { sessionId, epoch: 1 },
    ],
  },
  startBulk: { select: { environment: 'cloud-dev' }, action: 'release', reason: 'cloud-dev is drained' },
  report: [{ consumer: 'editor', ...ada, sessionId }],
  createKey: { tenant: 'acme', name: 'acme, cloud-dev', permissions: ['read', 'write'] },
  rotateKey: { overlapSeconds: 86_400 },
};

/** What the page of /docs offers for the parameters that a request needs, and for the project. */
export const parameterExamples: Readonly<Record<string, string | number>> = {
  ...ada,
  ...{
    sessionId,
    jobId: sessionId,
    keyId: 'slt_7Gq2',
    versionId: 'v42',
    consumer: 'editor',
    code: 'stale-session',
  },
  ...{ partition: 0, position: '0:1', from: 0, to: 0, tile: '0/000' },
};
