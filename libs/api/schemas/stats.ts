import { Type } from 'typebox';
import { NAME, named } from './components.js';
import { ada, sessionId } from './examples.js';
import { type Operation, read, sent, writer } from './operation.js';
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
    description: "How many of the tenant's oldest reports, beyond 50,000, were dropped",
  }),
});

export const WithdrawQuery = Type.Object(
  { consumer: Consumer, userId: Type.Optional(Id), projectId: Type.Optional(Id) },
  closed,
);

export const ReportsWithdrawn = named('ReportsWithdrawn', {
  withdrawn: Type.Integer({ description: 'How many reports were withdrawn' }),
});

export const StatsQuery = Type.Object(
  {
    consumer: Type.Optional(Consumer),
    maxAge: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 60,
        description:
          'How old the answer may be, in seconds: callers that poll the same figures share it; 0 when left out',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 500, description: 'Page size of the list; 100 when left out' }),
    ),
    after: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,256}$', description: 'the `next` of an earlier page' }),
    ),
  },
  closed,
);

const figures = {
  inSync: Type.Integer({ description: 'Reports that name the current session' }),
  outOfSync: Type.Integer({ description: 'Reports that name another session of the scope' }),
  unknown: Type.Integer({ description: 'Reports that name no session of the scope' }),
  rate: Type.Optional(Type.Number({ description: 'The share of reports in sync; absent if there are none' })),
};

export const LedgerFigures = named('LedgerFigures', {
  source: Type.String({ description: '`/ledgers/<ledger id>`, as in its events' }),
  partitions: Type.Integer(),
  events: Type.Integer({ description: 'Of all partitions' }),
  heads: Type.Array(Type.Integer(), { description: 'The last sequence of each partition' }),
  restores: Type.Integer({
    description:
      'How often events that a failover or a restore had lost were given up. When it rises, followers start from the beginning',
  }),
});

export const ProjectionFigures = named('ProjectionFigures', {
  positions: Type.Array(Type.Integer(), { description: 'The last projected sequence of each partition' }),
  behind: Type.Integer({ description: 'Events that are not projected yet' }),
});

export const CurrentFigures = named('CurrentFigures', {
  total: Type.Integer(),
  byStatus: Type.Object({
    starting: Type.Integer(),
    active: Type.Integer(),
    released: Type.Integer(),
    ending: Type.Integer(),
  }),
  byEnvironment: Type.Array(
    Type.Object({
      environment: Type.Optional(Type.String({ description: 'Absent for sessions without an owner' })),
      count: Type.Integer(),
    }),
    { description: 'The 50 with the most sessions, in descending order' },
  ),
});

const traffic = {
  commands: Type.Integer({ description: 'Commands that were applied' }),
  refusals: Type.Integer({ description: 'Commands that the rules refused: 409, and `operate-required`' }),
};

export const TrafficFigures = named(
  'TrafficFigures',
  {
    replica: Type.String({ description: 'The replica that answers; each replica counts its own commands' }),
    since: Type.String({ ...Instant, description: 'When it started counting' }),
    ...traffic,
    all: Type.Optional(Type.Object(traffic, { description: 'Of all tenants; needs the permission audit' })),
  },
  { description: 'Commands of the tenant that this replica has answered' },
);

export const RelayFigures = named('RelayFigures', {
  confirmed: Type.Array(Type.Integer(), {
    description: 'The last event of each partition that Kafka has confirmed',
  }),
  behind: Type.Integer({ description: 'Events that Kafka has not confirmed' }),
  held: Type.Integer({ description: 'Partitions that a relay holds; 0: no partition is relayed' }),
});

export const Stats = named(
  'Stats',
  {
    at: Type.String({
      ...Instant,
      description:
        'When the figures were read. For a rate, divide a difference of figures by the difference of these',
    }),
    current: CurrentFigures,
    traffic: TrafficFigures,
    relay: Type.Optional(RelayFigures),
    replicas: Type.Optional(
      Type.Array(Type.String(), {
        description: 'The ids of the replicas that are connected to Postgres, at most 100',
      }),
    ),
    ledger: Type.Optional(LedgerFigures),
    projection: Type.Optional(ProjectionFigures),
    sync: Type.Object({
      ...figures,
      consumers: Type.Array(Type.Object({ consumer: Type.String(), ...figures }), {
        description: 'The consumers with the most reports, at most 100',
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
        { description: 'Reports that are not in sync, in pages' },
      ),
      next: Type.Optional(Type.String({ description: 'Pass as `after` for the next page' })),
    }),
  },
  {
    description:
      '`current` comes from the read models and is at most a second old. `ledger`, `projection`, `relay` and `replicas` need the permission audit; the other members cover only the tenant of the caller',
  },
);

/** What consumers hold, and figures. */
export const stats = {
  report: {
    method: 'POST',
    path: '/v1/reports',
    needs: writer,
    summary: 'Report which sessions consumers hold, up to 1,000 at once',
    ...sent(Reports, [{ consumer: 'editor', ...ada, sessionId }]),
    answers: { 200: { description: 'how many were accepted', schema: ReportsTaken } },
    problems: [
      ...(['invalid-request', 'invalid-json', 'body-too-large', 'unsupported-media-type'] as const),
      ...(['unavailable', 'unknown-outcome'] as const),
    ],
  },
  withdrawReports: {
    method: 'DELETE',
    path: '/v1/reports',
    needs: writer,
    summary: "Withdraw a consumer's reports, all of them or the one about a scope",
    query: WithdrawQuery,
    answers: { 200: { description: 'how many were withdrawn', schema: ReportsWithdrawn } },
    problems: ['invalid-request', 'unavailable', 'unknown-outcome'],
  },
  stats: {
    method: 'GET',
    path: '/v1/stats',
    needs: ['read', 'audit'],
    summary: 'Statistics of the ledger, and which consumers are in sync',
    query: StatsQuery,
    answers: { 200: { description: 'the statistics', schema: Stats } },
    problems: read,
  },
} as const satisfies Record<string, Operation>;
