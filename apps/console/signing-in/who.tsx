import { signOut } from '../data/credential';
import { useAccess } from '../data/use-access';

/** As whom the page is taken, and what that allows. */
export function Who() {
  const { caller } = useAccess();
  if (!caller) return null;
  const { accessControl, principal, tenant, permissions, ledgerWide, environments, version, source } = caller;
  return (
    <details class="who">
      <summary>
        <bdi>{principal}</bdi>
        <span class="dim"> · {tenant || 'no tenant'}</span>
      </summary>
      <div class="panel">
        <dl>
          <dt>Principal</dt>
          <dd>{principal}</dd>
          <dt>Tenant</dt>
          <dd>{tenant || 'none'}</dd>
          <dt>Permissions</dt>
          <dd>{permissions.join(', ')}</dd>
          <dt>Reaches</dt>
          <dd>{ledgerWide ? 'what is of all tenants' : 'its own tenant'}</dd>
          {environments && (
            <>
              <dt>Environments</dt>
              <dd>
                <bdi>{environments.join(', ')}</bdi>
              </dd>
            </>
          )}
          <dt>Ledger</dt>
          <dd>{source.split('/').at(-1)}</dd>
          <dt>Version</dt>
          <dd>{version}</dd>
        </dl>
        {accessControl ? (
          <button type="button" onClick={signOut}>
            Sign out
          </button>
        ) : (
          <p class="dim">Access control is off: every caller that reaches this service may do all of this.</p>
        )}
      </div>
    </details>
  );
}
