import { Type } from 'typebox';
import { named } from './components.js';
import { auditor, closed, type Operation, read } from './operation.js';
import { Instant } from './values.js';

const Partition = Type.Integer({ minimum: 0, maximum: 4095 });
const Size = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Leaves of a tree: the sequence of its last event',
});
const note =
  'a checkpoint as a signed note (c2sp.org/tlog-checkpoint); without signatures where no key is set';
const text = { contentType: 'text/plain; charset=utf-8' } as const;

export const AuditKeys = named('AuditKeys', {
  origin: Type.String({ description: 'Names the ledger: the log of partition 3 is `<origin>/3`' }),
  keys: Type.Array(Type.String(), {
    description: 'Verifier keys (c2sp.org/signed-note); empty: nothing is signed',
  }),
});

export const Checkpoints = named('Checkpoints', {
  checkpoints: Type.Array(Type.String(), { description: `Of each partition ${note}` }),
});

export const KeptCheckpoints = named('KeptCheckpoints', {
  checkpoints: Type.Array(
    Type.Object({ size: Size, keptAt: Instant, note: Type.String({ description: 'The signed note' }) }),
    { description: 'The newest first' },
  ),
  next: Type.Optional(
    Type.Integer({ description: 'Pass as `before` for the next page, if there may be more' }),
  ),
});

export const ConsistencyProof = named('ConsistencyProof', {
  partition: Type.Integer(),
  from: Size,
  to: Size,
  hashes: Type.Array(Type.String(), { description: 'Base 64, in the order of RFC 6962 section 2.1.2' }),
});

/** The log as somebody checks it who does not trust it. */
export const audit = {
  auditKeys: {
    method: 'GET',
    path: '/v1/audit/key',
    needs: auditor,
    summary: "The ledger's name in what it signs, and the public keys",
    answers: { 200: { description: 'verifier keys', schema: AuditKeys } },
    problems: read,
  },
  auditCheckpoints: {
    method: 'GET',
    path: '/v1/audit/checkpoints',
    needs: auditor,
    summary: 'A checkpoint of every partition, at most a second old',
    answers: { 200: { description: 'by partition', schema: Checkpoints } },
    problems: read,
  },
  auditCheckpoint: {
    method: 'GET',
    path: '/v1/audit/checkpoint',
    needs: auditor,
    summary: "A partition's checkpoint, at most a second old",
    query: Type.Object({ partition: Partition }, closed),
    answers: { 200: { description: note, ...text } },
    problems: read,
  },
  auditPartition: {
    method: 'GET',
    path: '/v1/audit/:partition/checkpoint',
    needs: auditor,
    summary: "A partition's checkpoint, where programs for tiled logs look for it (c2sp.org/tlog-tiles)",
    params: Type.Object({ partition: Type.String({ pattern: '^(0|[1-9]\\d{0,3})$' }) }, closed),
    answers: { 200: { description: note, ...text } },
    problems: ['not-found', ...read],
  },
  auditTile: {
    method: 'GET',
    // The rest of the address, slashes and all.
    path: '/v1/audit/:partition/tile/:tile*',
    needs: auditor,
    summary: "Hashes of a partition's tree, by the addresses of c2sp.org/tlog-tiles: they never change",
    params: Type.Object(
      {
        partition: Type.String({ pattern: '^(0|[1-9]\\d{0,3})$' }),
        tile: Type.String({
          pattern: '^\\d{1,2}/(x\\d{3}/){0,5}\\d{3}(\\.p/\\d{1,3})?$',
          description: '`<level>/<index>`, with `.p/<width>` for a partial one: `0/x001/234.p/17`',
        }),
      },
      closed,
    ),
    answers: {
      200: { description: '32 bytes for each hash', contentType: 'application/octet-stream' },
    },
    problems: ['not-found', ...read],
  },
  auditKept: {
    method: 'GET',
    path: '/v1/audit/kept',
    needs: auditor,
    summary: 'Stored checkpoints: one an hour while a partition grows, and one at the end of each archive',
    query: Type.Object(
      {
        partition: Partition,
        before: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: '100 when left out' })),
      },
      closed,
    ),
    answers: { 200: { description: 'the newest first', schema: KeptCheckpoints } },
    problems: read,
  },
  auditProof: {
    method: 'GET',
    path: '/v1/audit/proof',
    needs: auditor,
    summary: 'Proves that an event is in the log, archived or not (c2sp.org/tlog-proof)',
    query: Type.Object(
      {
        position: Type.String({
          pattern: '^\\d{1,4}:\\d{1,16}$',
          description: "partition:sequence, which is the event's id, too",
        }),
      },
      closed,
    ),
    answers: { 200: { description: 'for tools, and for `session-ledger audit verify`', ...text } },
    problems: ['position-ahead', ...read],
  },
  auditConsistency: {
    method: 'GET',
    path: '/v1/audit/consistency',
    needs: auditor,
    summary: 'Proves that a tree has grown from an earlier one',
    query: Type.Object({ partition: Partition, from: Size, to: Size }, closed),
    answers: { 200: { description: 'hashes', schema: ConsistencyProof } },
    problems: ['position-ahead', ...read],
  },
} as const satisfies Record<string, Operation>;
