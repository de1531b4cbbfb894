import type { ComponentChildren } from 'preact';
import { type Caller, signOut } from '../data/credential';
import { useAccess } from '../data/use-access';

export type Permission = Caller['permissions'][number];

/** Shows a page to who may read it, and to others what it needs. While nobody is known the service itself decides. */
export function Allowed({ needs, children }: { needs: readonly Permission[]; children: ComponentChildren }) {
  const { caller } = useAccess();
  if (!caller || mayOneOf(caller, needs)) return <>{children}</>;
  const { principal, tenant, permissions, accessControl } = caller;
  return (
    <section class="card" role="alert">
      <h1>This page needs the permission {needs.join(' or ')}</h1>
      <p>
        You are <b>{principal}</b>
        {tenant ? ` of the tenant ${tenant}` : ', of no tenant'}. Your key or token allows{' '}
        {permissions.join(', ')}. Sign in with one that allows {needs.join(' or ')}, or ask the administrator
        of your ledger's keys.
      </p>
      {accessControl && (
        <button type="button" onClick={signOut}>
          Sign in with another key
        </button>
      )}
    </section>
  );
}

const mayOneOf = ({ permissions }: Caller, needs: readonly Permission[]) =>
  needs.some((one) => permissions.includes(one));

/** Whether who asks holds all of these. */
export function useMay(...needs: readonly Permission[]): boolean {
  const { caller } = useAccess();
  return caller !== undefined && needs.every((one) => caller.permissions.includes(one));
}
