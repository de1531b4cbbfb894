import { writeFile } from 'node:fs/promises';
import { type Access, AccessLog, KeySet, Keys, openAccess, Tokens, withoutAccess } from '#access';
import { type KeyStore, PERMISSIONS } from '#api';
import { type AccessConfig, ConfigError } from './config.js';
import type { Pools } from './pools.js';

/** Who may ask a replica, and the keys that say so. */
export interface OpenedAccess {
  access: Access;
  keys: KeyStore;
  /** Absent where everybody may do everything. */
  log: AccessLog | undefined;
  /** Postgres has told which version of who may ask it is at. */
  looked(version: number): void;
  close(): Promise<void>;
}

const NO_ADMIN =
  'LEDGER_ACCESS: access control is required, and nobody could let anybody in: there is no key with the permission ' +
  'admin. Make one at the database, `session-ledger keys create --offline --ledger-wide --permissions admin,audit ' +
  '--name operator`, or set LEDGER_ADMIN_KEY_SHA256 or LEDGER_JWT_ISSUER (docs/access.md).';

/** Throws ConfigError when access control is required and nobody could come in. */
export async function startAccess(
  { isRequired, adminKeyHash, adminKeyFile, tokens, tenantLimits }: AccessConfig,
  pools: Pick<Pools, 'changes' | 'tail'>,
  onFault: (error: unknown) => void,
): Promise<OpenedAccess> {
  if (!isRequired) {
    return {
      access: withoutAccess,
      keys: new Keys(pools.changes),
      log: undefined,
      looked: () => {},
      close: async () => {},
    };
  }
  const set = new KeySet(pools.tail, { onFault });
  await set.start();
  if (!set.hasAdmin && adminKeyHash === undefined && adminKeyFile !== undefined) {
    await makeFirstKey(new Keys(pools.changes, () => set.refresh()), adminKeyFile);
  }
  if (!set.hasAdmin && adminKeyHash === undefined && tokens === undefined) {
    await set.close();
    throw new ConfigError(NO_ADMIN);
  }
  const access = openAccess({
    ...{ keys: set, tokens: tokens && (await Tokens.open(tokens, set)) },
    ...{ adminKeyHash, tenantLimits },
  });
  const log = new AccessLog(pools.changes, onFault);
  log.start();
  return {
    access,
    log,
    keys: new Keys(pools.changes, () => set.refresh()),
    looked: (version) => set.looked(version),
    async close() {
      access.close();
      await log.close();
      await set.close();
    },
  };
}

/** Its path is told, never the key: what a service writes ends in log stores. */
async function makeFirstKey(keys: Keys, file: string): Promise<void> {
  const made = await keys.create(
    {
      ...{ tenant: 'default', ledgerWide: true, principal: 'owner', name: 'made at the first start' },
      permissions: PERMISSIONS,
    },
    'first-start',
  );
  if ('madeBefore' in made) return;
  await writeFile(file, `${made.secret}\n`, { mode: 0o600 });
  process.stdout.write(`The first key, with all permissions in the tenant default, is in ${file}\n`);
}
