import type { Handle, NewHandle, SessionId } from '#session';
import { ProblemError } from './problem-error.js';

/** An outside name as requests bring it. */
export interface OutsideName {
  kind: string;
  value: string;
}
export type NewOutsideName = OutsideName & Pick<NewHandle, 'binds'>;

/** What no request says itself: how the ledger knows an outside name, and ids for new sessions. */
export interface Naming {
  handle(name: OutsideName): Handle;
  /** In the partition of the session that it is to follow. */
  successorOf(sessionId: SessionId): SessionId;
}

/** The names of one request, without their values. Throws `invalid-request` when one stands twice. */
export function handlesOf<Name extends OutsideName>(
  names: readonly Name[],
  naming: Pick<Naming, 'handle'>,
): (Omit<Name, 'value'> & Handle)[] {
  const handles = names.map(({ value, ...rest }) => ({ ...rest, ...naming.handle({ ...rest, value }) }));
  if (new Set(handles.map(({ hash }) => hash)).size < handles.length) {
    throw new ProblemError('invalid-request', 'body names a handle twice');
  }
  return handles;
}
