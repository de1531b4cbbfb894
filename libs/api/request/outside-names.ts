import type { Handle } from '#session';
import { ProblemError } from '../problems/problem-error.js';

/** An outside name as requests bring it. */
export interface OutsideName {
  kind: string;
  value: string;
}

/** The names of one request, without their values. Throws `invalid-request` when one stands twice. */
export function handlesOf<Name extends OutsideName>(
  names: readonly Name[],
  handleOf: (name: OutsideName) => Handle,
): (Omit<Name, 'value'> & Handle)[] {
  const handles = names.map(({ value, ...rest }) => ({ ...rest, ...handleOf({ ...rest, value }) }));
  if (new Set(handles.map(({ hash }) => hash)).size < handles.length) {
    throw new ProblemError('invalid-request', 'body names a handle twice');
  }
  return handles;
}
