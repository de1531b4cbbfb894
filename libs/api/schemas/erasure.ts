import { Type } from 'typebox';
import { named } from './components.js';
import { type Operation, operator, placed, retried, ScopeQuery } from './operation.js';
import { Position, Scope } from './values.js';

export const ErasedAnswer = named('ErasedAnswer', {
  outcome: Type.Enum(['erased', 'unchanged'], { description: 'unchanged if there was nothing to erase' }),
  erased: Type.Array(Type.Object({ scope: Scope, position: Position }), {
    maxItems: 500,
    description: 'The scopes whose details were erased; positions of their DetailsErased',
  }),
  complete: Type.Boolean({ description: 'false: details of more scopes are left; repeat the request' }),
});

/** What may have to be forgotten. */
export const erasure = {
  eraseDetails: {
    method: 'DELETE',
    path: '/v1/details',
    needs: operator,
    summary:
      'Erase the details of a scope, or without projectId of all scopes of the user, at most 500 a request',
    query: ScopeQuery,
    answers: { 200: { description: 'erased or unchanged', schema: ErasedAnswer, ...placed } },
    problems: ['invalid-request', ...retried],
  },
} as const satisfies Record<string, Operation>;
