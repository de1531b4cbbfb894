import type { Answered, Asked, Serving } from '../asked.js';
import type { Caller } from '../caller.js';
import type { KeyInfo, KeyLimits, KeyOrder, Ledger, MadeKey } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { receiptOf } from './receipts.js';

const OVERLAP_SECONDS = 86_400;
/** Most keys that a tenant has by its own admin: it leaves room for those of others. */
const MOST_OF_TENANT = 1_000;

/**
 * Who may ask. A tenant's admin has its tenant's keys and gives away no more than it holds itself; a ledger-wide one has
 * all of them.
 */
export const keys: Pick<Serving, 'access' | 'createKey' | 'listKeys' | 'rotateKey' | 'revokeKey'> = {
  access({ caller }, { running, source }) {
    const { principal, tenant, ledgerWide, environments } = caller;
    const { accessControl, version } = running;
    const permissions = [...caller.permissions];
    const who = { principal, tenant, permissions, ledgerWide };
    return {
      body: {
        accessControl,
        ...who,
        ...(environments && { environments: [...environments] }),
        version,
        source,
      },
    };
  },
  async createKey(asked, ledger) {
    const { caller } = asked;
    const order = orderOf(asked.body, caller, ledger);
    return made(await create(order, asked, ledger));
  },
  async listKeys({ caller, query: { after = '', limit = 100 } }, ledger) {
    const found = await ledger.keys.list(reachOf(caller), after, limit);
    const next = found.length === limit ? found.at(-1)?.id : undefined;
    return { body: { keys: found.map(shown), ...(next && { next }) } };
  },
  async rotateKey(asked, ledger) {
    const { caller, params, body } = asked;
    const { secondsLeft, ...old } = await known(params.keyId, caller, ledger);
    checkHeld(old, caller);
    const isOver = old.revokedAt !== undefined || (secondsLeft !== undefined && secondsLeft <= 0);
    if (isOver) throw new ProblemError('unknown-key', 'The key is no longer valid: create a new one.');
    const order = { ...old, ...(secondsLeft !== undefined && { expiresInSeconds: Math.ceil(secondsLeft) }) };
    const next = await create(order, asked, ledger);
    await ledger.keys.end(old.id, body.overlapSeconds ?? OVERLAP_SECONDS);
    return made(next);
  },
  async revokeKey({ caller, params }, ledger) {
    const { id } = await known(params.keyId, caller, ledger);
    const ended = await ledger.keys.end(id, 0);
    if (!ended) throw new ProblemError('unknown-key');
    return { body: shown(ended) };
  },
};

/** Whose keys the caller has: its tenant's, or all. */
function reachOf({ tenant, ledgerWide }: Caller): string | undefined {
  return ledgerWide ? undefined : tenant;
}

function create(order: KeyOrder, asked: Asked<'createKey'> | Asked<'rotateKey'>, ledger: Ledger) {
  const { principal, ledgerWide } = asked.caller;
  return ledger.keys.create(
    order,
    principal,
    requestOf(asked, ledger),
    ledgerWide ? undefined : MOST_OF_TENANT,
  );
}

async function known(keyId: string, caller: Caller, { keys }: Ledger) {
  const key = await keys.find(keyId, reachOf(caller));
  if (!key) throw new ProblemError('unknown-key');
  return key;
}

/** Throws `invalid-request` for what no key can be, and `permission-required` for more than the caller holds itself. */
function orderOf(
  body: Asked<'createKey'>['body'],
  caller: Caller,
  { digest, newCommandId }: Ledger,
): KeyOrder {
  const { ledgerWide = false, permissions } = body;
  const tenant = body.tenant ?? caller.tenant;
  const isOfTenant = (one: string) => one === 'read' || one === 'write' || one === 'operate';
  if (tenant === '' && (!ledgerWide || permissions.some(isOfTenant))) {
    throw new ProblemError('invalid-request', 'body.tenant is missing: read, write and operate need one');
  }
  if (!ledgerWide && permissions.includes('audit')) {
    throw new ProblemError('invalid-request', 'body.permissions has audit, which needs body.ledgerWide');
  }
  const principal = body.principal ?? `p-${digest(newCommandId()).slice(0, 12)}`;
  const { environments = caller.environments && [...caller.environments], limits } = body;
  const order = {
    ...{ tenant, ledgerWide, principal, environments, limits, name: body.name },
    ...{ permissions: [...new Set(permissions)], expiresInSeconds: body.expiresInSeconds },
  };
  checkHeld(order, caller);
  return order;
}

/** Throws `permission-required` unless the caller holds itself all that a key allows. A ledger-wide one gives what it wants. */
function checkHeld(order: Omit<KeyOrder, 'name'>, caller: Caller): void {
  if (caller.ledgerWide) return;
  const refuse = (what: string) => {
    throw new ProblemError('permission-required', `A tenant's admin cannot grant ${what}.`);
  };
  if (order.tenant !== caller.tenant) refuse('access to another tenant');
  if (order.ledgerWide) refuse('ledger-wide access');
  const more = order.permissions.find((one) => !caller.permissions.has(one));
  if (more) refuse(`${more}, which it does not hold itself`);
  const { environments: own } = caller;
  if (own && !order.environments?.every((one) => own.has(one))) refuse('environments that it does not have');
}

/** Who asks, and under which idempotency key: the same again makes no second key. */
function requestOf(asked: Asked<'createKey'> | Asked<'rotateKey'>, ledger: Ledger): string | undefined {
  return receiptOf(asked, ledger)?.key;
}

function made(answer: MadeKey): Answered {
  if ('madeBefore' in answer) {
    throw new ProblemError(
      'key-made',
      `The same request has already created the key ${answer.madeBefore}. Its secret is shown only once.`,
    );
  }
  return { status: 201, body: { secret: answer.secret, key: shown(answer.key) } };
}

function shown({ id, tenant, limits, ...key }: KeyInfo) {
  return { keyId: id, ...(tenant !== '' && { tenant }), ...key, ...(limits && { limits: defined(limits) }) };
}

function defined({ commands, reads }: KeyLimits) {
  return { ...(commands && { commands }), ...(reads && { reads }) };
}
