import { ProblemError } from './problems/problem-error.js';

/** What a credential may allow. None of them brings another one along. */
export const PERMISSIONS = ['read', 'write', 'operate', 'audit', 'admin'] as const;
export type Permission = (typeof PERMISSIONS)[number];

/** What an operation asks of a credential: nothing, or one of these permissions. */
export type Needs = 'nothing' | readonly Permission[];

/** Who is asking. From the credential only, never from what a request says about itself. */
export interface Caller {
  /** Empty: of no tenant. Then it has none of the permissions that are a tenant's: read, write and operate. */
  tenant: string;
  /** 1 to 256 printable ASCII characters without quotes and backslashes. It stays in the log for good. */
  principal: string;
  /** Whether it may act for owners other than itself: it has the permission `operate`. */
  operate: boolean;
  permissions: ReadonlySet<Permission>;
  /** Whether it may reach what is of all tenants. Only then it can hold `audit`, and its `admin` is of all keys. */
  ledgerWide: boolean;
  /** The environments that it may name as owner, origin or heir; undefined: any. */
  environments?: ReadonlySet<string> | undefined;
}

export function callerOf({
  permissions,
  ...who
}: Omit<Caller, 'operate' | 'permissions'> & { permissions: Iterable<Permission> }): Caller {
  const all = new Set(permissions);
  return { ...who, permissions: all, operate: all.has('operate') };
}

/** Everybody where there is no access control. */
export const anonymous: Caller = callerOf({
  tenant: 'default',
  principal: 'anonymous',
  ledgerWide: true,
  permissions: PERMISSIONS,
});

/** Throws `permission-required` unless the caller has what an operation needs. */
export function checkNeeds({ permissions }: Caller, needs: Needs): void {
  if (needs === 'nothing' || needs.some((one) => permissions.has(one))) return;
  throw new ProblemError('permission-required', `This needs the permission ${needs.join(' or ')}.`);
}

/** Throws `permission-required` for a request in which a caller speaks for an environment that is not its own. */
export function checkEnvironments({ environments }: Caller, body: unknown): void {
  if (environments === undefined || typeof body !== 'object' || body === null) return;
  for (const name of ['owner', 'origin', 'to'] as const) {
    const owner = (body as { [member in typeof name]?: { environment?: string } })[name];
    if (owner?.environment === undefined || environments.has(owner.environment)) continue;
    throw new ProblemError(
      'permission-required',
      `body.${name}.environment has to be one that this credential may use: ${[...environments].join(', ')}`,
    );
  }
}
