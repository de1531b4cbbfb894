import { Type } from 'typebox';
import { Instant, Session } from './values.js';

/** The body of every error. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: '/problems/<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String()),
    retryable: Type.Boolean({ description: 'Whether the same request may succeed later' }),
    current: Type.Optional(Session),
    last: Type.Optional(Session),
    until: Type.Optional(Instant),
  },
  { $id: 'Problem', description: 'RFC 9457. `current` is the current session; `last` the one before none' },
);
