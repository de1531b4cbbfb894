import { type KeyInfo, type KeyStore, ProblemError } from '#api';
import type { Store } from './store.js';

/** Most keys that count at once. */
const MOST_KEYS = 10_000;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Keys as lists and answers show them. Nobody is asked for one: a client says as whom it asks. */
export function keys(store: Store): KeyStore {
  const all = new Map<string, KeyInfo>();
  const requests = new Map<string, string>();
  const random = (digits: number) =>
    Array.from(crypto.getRandomValues(new Uint8Array(digits)), (byte) => DIGITS[byte % DIGITS.length]).join(
      '',
    );
  const instant = (seconds = 0) => new Date(store.now() + seconds * 1_000).toISOString();
  const isOver = ({ revokedAt, expiresAt }: KeyInfo) =>
    revokedAt !== undefined || (expiresAt !== undefined && expiresAt <= instant());
  const isWithin = ({ tenant, ledgerWide }: KeyInfo, of: string | undefined) =>
    of === undefined || (tenant === of && !ledgerWide);

  return {
    async create({ expiresInSeconds: seconds, ...order }, madeBy, request, most = MOST_KEYS) {
      const madeBefore = request === undefined ? undefined : requests.get(request);
      if (madeBefore !== undefined) return { madeBefore };
      const counting = [...all.values()].filter((key) => !isOver(key));
      const ofTenant = counting.filter(({ tenant }) => tenant === order.tenant);
      if (counting.length >= MOST_KEYS || ofTenant.length >= most) throw new ProblemError('overloaded');
      const id = random(10);
      const key: KeyInfo = { ...order, id, madeAt: instant(), madeBy };
      if (seconds !== undefined) key.expiresAt = instant(seconds);
      all.set(id, key);
      if (request !== undefined) requests.set(request, id);
      return { secret: `${order.ledgerWide ? 'sll' : 'slt'}_${id}${random(49)}`, key };
    },
    async find(id, tenant) {
      const key = all.get(id);
      if (!key || !isWithin(key, tenant)) return undefined;
      if (key.expiresAt === undefined) return key;
      return { ...key, secondsLeft: (Date.parse(key.expiresAt) - store.now()) / 1_000 };
    },
    async list(tenant, after, limit) {
      return [...all.values()]
        .filter((key) => key.id > after && isWithin(key, tenant))
        .sort((one, other) => (one.id < other.id ? -1 : 1))
        .slice(0, limit);
    },
    async end(id, seconds) {
      const key = all.get(id);
      if (!key) return undefined;
      const at = instant(seconds);
      if (key.expiresAt === undefined || key.expiresAt > at) key.expiresAt = at;
      if (seconds === 0) key.revokedAt ??= at;
      return key;
    },
  };
}
