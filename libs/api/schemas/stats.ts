import { Type } from 'typebox';
import { NAME, named } from './components.js';
import { type Operation, read, writer } from './operation.js';
import { GivenId, Id, Instant, SessionId } from './values.js';

const closed = { additionalProperties: false };

/** A kind of consumer is meant, such as a service's name, or one of its stores. */
const Consumer = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9_.:-]+$',
  description: 'A-Z, a-z, 0-9, _ . : and -: who holds a session',
});

export const Reports = Type.Array(
  Type.Object({ consumer: Consumer, userId: Id, projectId: Type.Optional(Id), sessionId: GivenId }, closed),
  {
    [NAME]: 'Reports',
    minItems: 1,
    maxItems: 1_000,
    description:
      'from 1 to 1,000; of several about one consumer and scope the last counts. A report counts for 24 h',
  },
);

export const ReportsTaken = named('ReportsTaken', {
  taken: Type.Integer(),
  dropped: Type.Integer({
    description: "The tenant's oldest reports, over 50,000, that were forgotten for them",
  }),
});

export const WithdrawQuery = Type.Object(
  { consumer: Consumer, userId: Type.Optional(Id), projectId: Type.Optional(Id) },
  closed,
);

export const ReportsWithdrawn = named('ReportsWithdrawn', {
  withdrawn: Type.Integer({ description: 'How many reports there were' }),
});

export const StatsQuery = Type.Object(
  {
    consumer: Type.Optional(Consumer),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, description: 'Of those out of sync; 100 when left out' }),
    ),
    after: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,256}$', description: 'what an earlier page gave as `next`' }),
    ),
  },
  closed,
);

const figures = {
  inSync: Type.Integer({ description: 'Reports that name the current session' }),
  outOfSync: Type.Integer({ description: 'Reports that name another session of the scope' }),
  unknown: Type.Integer({ description: 'Reports of what is no session of the scope' }),
  rate: Type.Optional(Type.Number({ description: 'Those in sync, of all; absent when there are none' })),
};

export const LedgerFigures = named('LedgerFigures', {
  source: Type.String({ description: '`/ledgers/<ledger id>`, as in its events' }),
  partitions: Type.Integer(),
  events: Type.Integer({ description: 'Of all partitions' }),
  heads: Type.Array(Type.Integer(), { description: 'The last sequence of each partition' }),
  restores: Type.Integer({
    description:
      'How often what a failover or a restore had lost was given up: when it rises, whoever follows starts anew',
  }),
});

export const ProjectionFigures = named('ProjectionFigures', {
  positions: Type.Array(Type.Integer(), { description: 'What was projected last of each partition' }),
  behind: Type.Integer({ description: 'Events that are not projected yet' }),
});

export const Stats = named(
  'Stats',
  {
    ledger: Type.Optional(LedgerFigures),
    projection: Type.Optional(ProjectionFigures),
    sync: Type.Object({
      ...figures,
      consumers: Type.Array(Type.Object({ consumer: Type.String(), ...figures }), {
        description: 'Those with the most reports, at most 100',
      }),
      list: Type.Array(
        Type.Object({
          consumer: Type.String(),
          userId: Id,
          projectId: Id,
          state: Type.Enum(['out-of-sync', 'unknown']),
          sessionId: SessionId,
          currentId: Type.Optional(SessionId),
          since: Instant,
          reportedAt: Instant,
        }),
        { description: 'Those that are not in sync, in pages' },
      ),
      next: Type.Optional(Type.String({ description: 'What to ask for with `after`' })),
    }),
  },
  {
    description:
      'As of now. `ledger` and `projection` need the permission audit, `sync` is of the own tenant',
  },
);

/** What consumers hold, and figures. */
export const stats = {
  report: {
    method: 'POST',
    path: '/v1/reports',
    needs: writer,
    summary: 'Say which sessions consumers hold, up to 1,000 at once',
    body: Reports,
    answers: { 200: { description: 'how many were taken', schema: ReportsTaken } },
    problems: [
      ...(['invalid-request', 'invalid-json', 'body-too-large', 'unsupported-media-type'] as const),
      ...(['unavailable', 'unknown-outcome'] as const),
    ],
  },
  withdrawReports: {
    method: 'DELETE',
    path: '/v1/reports',
    needs: writer,
    summary: "Take a consumer's reports back, all of them or that about one scope",
    query: WithdrawQuery,
    answers: { 200: { description: 'how many there were', schema: ReportsWithdrawn } },
    problems: ['invalid-request', 'unavailable', 'unknown-outcome'],
  },
  stats: {
    method: 'GET',
    path: '/v1/stats',
    needs: ['read', 'audit'],
    summary: 'Figures of the ledger, and which consumers hold the current sessions',
    query: StatsQuery,
    answers: { 200: { description: 'figures as of now', schema: Stats } },
    problems: read,
  },
} as const satisfies Record<string, Operation>;
