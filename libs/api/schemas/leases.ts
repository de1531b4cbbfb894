import { Type } from 'typebox';
import { NAME, named } from './components.js';
import { sessionId } from './examples.js';
import { byId, closed, command, fenced, type Operation, sent, writer } from './operation.js';
import { Problem } from './problem.js';
import { Epoch, GivenId, Instant, SessionId } from './values.js';

export const RenewBody = named('RenewBody', { epoch: Epoch }, closed);

export const RenewManyBody = Type.Array(Type.Object({ sessionId: GivenId, epoch: Epoch }, closed), {
  [NAME]: 'RenewManyBody',
  minItems: 1,
  maxItems: 1_000,
  description: 'from 1 to 1,000 leases, each session once',
});

export const Renewed = named('Renewed', {
  outcome: Type.Literal('renewed'),
  sessionId: SessionId,
  until: Instant,
});

export const NotRenewed = named('NotRenewed', { sessionId: SessionId, problem: Problem });

export const RenewedMany = named('RenewedMany', { results: Type.Array(Type.Union([Renewed, NotRenewed])) });

/** Renewals of leases. */
export const leases = {
  renewLease: {
    method: 'POST',
    path: '/v1/sessions/:sessionId/renew',
    needs: writer,
    summary: "Renew a lease: its owner's heartbeat",
    params: byId,
    ...sent(RenewBody, { epoch: 1 }),
    answers: { 200: { description: 'renewed', schema: Renewed } },
    problems: [...fenced, 'no-lease', 'not-owner', 'session-ending', ...command],
  },
  renewLeases: {
    method: 'POST',
    path: '/v1/leases/renew',
    needs: writer,
    summary: 'Renew up to 1,000 leases, with one result each, in the order of the request',
    ...sent(RenewManyBody, [{ sessionId, epoch: 1 }]),
    answers: { 200: { description: 'the results', schema: RenewedMany } },
    problems: command,
  },
} as const satisfies Record<string, Operation>;
