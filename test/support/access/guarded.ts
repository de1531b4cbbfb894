import { type KeyOrder, PERMISSIONS, type Permission } from '#api';
import { migrate } from '#log';
import { rest } from '#waiting';
import { Keys } from '../../../libs/access/keys.js';
import { openPool } from '../../../libs/postgres/index.js';
import { statusFrom } from '../http.js';
import { freshDatabase, type Service, type ServiceOptions, startService } from '../service.js';

/** A ledger with access control, and its keys. */
export interface Guarded {
  service: Service;
  databaseUrl: string;
  /** Of no tenant, with all that such a one can have. */
  admin: string;
  /** Makes a key at Postgres, as `keys create --offline` does; gives its secret and its id. */
  key(order: Partial<KeyOrder>): Promise<{ secret: string; id: string }>;
  revoke(id: string): Promise<void>;
  /** The ledger's own pool: of its owner. */
  keys: Keys;
}

export const TENANT_PERMISSIONS: readonly Permission[] = ['read', 'write', 'operate'];

/** Starts one. Replicas of it start with its `databaseUrl` and LEDGER_ACCESS=required. */
export async function startGuarded(options: ServiceOptions = {}): Promise<Guarded> {
  const databaseUrl = options.databaseUrl ?? (await freshDatabase());
  await migrate({ url: databaseUrl, partitions: 16 });
  const pool = openPool({ url: databaseUrl }, 2);
  pools.push(pool);
  const keys = new Keys(pool);
  const key = async (order: Partial<KeyOrder>) => {
    const whole: KeyOrder = {
      ...{
        tenant: 'red',
        ledgerWide: false,
        principal: 'worker',
        permissions: ['read', 'write'],
        name: 'a test',
      },
      ...order,
    };
    const made = await keys.create(whole, 'test');
    if ('madeBefore' in made) throw new Error('a key without a request was made before');
    await known(made.secret);
    return { secret: made.secret, id: made.key.id };
  };
  const all = { tenant: '', ledgerWide: true, principal: 'root', permissions: ['audit', 'admin'] as const };
  let url: string | undefined;
  /** The service finds a key that was made at Postgres when it looks there next. */
  const known = async (secret: string) => {
    // An address has 20 credentials a minute that may not count: these looks take none from the tests'.
    const look = () => (url ? statusFrom('127.0.0.3', `${url}/v1/stats`, by(secret)) : undefined);
    for (let looks = 0; looks < 200 && [401, 429].includes((await look()) ?? 0); looks += 1) await rest(20);
  };
  const { secret: admin } = await key(all);
  const service = await startService({
    ...options,
    databaseUrl,
    env: { LEDGER_ACCESS: 'required', ...options.env },
  });
  url = service.url;
  return {
    ...{ service, databaseUrl, admin, key, keys },
    revoke: async (id) => void (await keys.end(id, 0)),
  };
}

/** What a request says of who asks. */
export function by(secret: string): { authorization: string } {
  return { authorization: `Bearer ${secret}` };
}

const pools: ReturnType<typeof openPool>[] = [];
afterAll(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});

export { PERMISSIONS };
