import { Type } from 'typebox';
import { named } from './components.js';
import { closed, type Operation } from './operation.js';
import { Instant, Session } from './values.js';

/** The body of every error. */
export const Problem = named(
  'Problem',
  {
    type: Type.String({ description: '/problems/<code>', examples: ['/problems/stale-session'] }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
    current: Type.Optional(Session),
    last: Type.Optional(Session),
    until: Type.Optional(Instant),
    retryAfter: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Seconds to wait before a retry; for one of many commands, in place of the header',
      }),
    ),
    handle: Type.Optional(Type.String({ description: 'For handle-taken: the kind of the handle' })),
    candidate: Type.Optional(
      Type.Integer({ minimum: 0, description: 'For resolve: index, from 0, of the candidate at fault' }),
    ),
    partition: Type.Optional(Type.Integer({ description: 'For archived events' })),
    firstSequence: Type.Optional(
      Type.Integer({ description: 'The first sequence of the partition that is not archived' }),
    ),
    firstVersion: Type.Optional(
      Type.Integer({ description: 'The first version of the scope that is not archived' }),
    ),
    files: Type.Optional(
      Type.Array(Type.Object({ file: Type.String(), first: Type.Integer(), last: Type.Integer() }), {
        maxItems: 100,
        description: 'The archives to read first, in order, with the sequences that they contain',
      }),
    ),
  },
  { description: 'RFC 9457. `current` is the current session; if there is none, `last` is the previous one' },
);

export const ProblemPage = named('ProblemPage', {
  type: Type.String({ description: '/problems/<code>' }),
  title: Type.String(),
  status: Type.Integer(),
  retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
  retryAfter: Type.Optional(Type.Integer({ description: 'Seconds to wait before a retry' })),
  advice: Type.Optional(Type.String({ description: 'What to do, if the title does not say it' })),
});

/** What a problem is. */
export const problemPages = {
  problem: {
    method: 'GET',
    path: '/problems/:code',
    needs: 'nothing',
    summary: "What a problem's type means, and what to do about it",
    params: Type.Object({ code: Type.String() }, closed),
    answers: { 200: { description: 'the problem', schema: ProblemPage } },
    problems: ['not-found'],
  },
} as const satisfies Record<string, Operation>;
