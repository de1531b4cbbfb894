import type pg from 'pg';
import type { KeyInfo, KeyOrder, KeyStore, MadeKey, Permission } from '#api';
import { ask, LogError, writeError } from '#log';
import { type Given, query, type RowOf, type Statement } from '#postgres';
import { hashOf, newKey } from './key-format.js';
import { statement } from './statements.js';

const insertKey = statement('insert_key');
const findRequest = statement('find_request');
const findKey = statement('find_key');
const listKeys = statement('list_keys');
const endKey = statement('end_key');
const revokeSubject = statement('revoke_subject');

/** Most keys that count at once: all of them stand in the memory of every replica. */
const MOST_KEYS = 10_000;

/** A row of ledger.keys. */
export type KeyRow = RowOf<typeof listKeys>;

/** The table holds no others. */
export const permissionsOf = (row: Pick<KeyRow, 'permissions'>) => row.permissions as Permission[];

/** Keys in Postgres. Rejects with LogError `unavailable`; a change with `unknown-outcome` when its answer was lost. */
export class Keys implements KeyStore {
  constructor(
    private readonly pool: Pick<pg.Pool, 'query'>,
    /** After a change: whoever looks keys up in memory reads them again before it is answered. */
    private readonly onChange: () => Promise<void> = async () => {},
  ) {}

  async create(order: KeyOrder, by: string, request?: string, most?: number): Promise<MadeKey> {
    const { id, token } = newKey(order.ledgerWide);
    const { expiresInSeconds: seconds, limits } = order;
    const { ledgerWide, tenant, principal, permissions, environments, name } = order;
    const [row] = await this.change(insertKey, [
      ...([id, hashOf(token), ledgerWide, tenant || null, principal, permissions] as const),
      ...([
        environments,
        limits?.commands,
        limits?.reads,
        name,
        by,
        request,
        seconds,
        MOST_KEYS,
        most,
      ] as const),
    ]);
    if (row) return { secret: token, key: infoOf(row) };
    const [before] = request === undefined ? [] : await this.read(findRequest, [request]);
    if (before) return { madeBefore: before.id };
    const of = most === undefined ? '' : `, or ${most} of the tenant`;
    throw new LogError('overloaded', `There are ${MOST_KEYS} keys already${of}.`);
  }

  async find(
    id: string,
    tenant: string | undefined,
  ): Promise<(KeyInfo & { secondsLeft?: number }) | undefined> {
    const [row] = await this.read(findKey, [id, tenant ?? null]);
    if (!row) return undefined;
    return { ...infoOf(row), ...(row.seconds_left !== null && { secondsLeft: row.seconds_left }) };
  }

  async list(tenant: string | undefined, after: string, limit: number): Promise<KeyInfo[]> {
    return (await this.read(listKeys, [tenant ?? null, after, limit])).map(infoOf);
  }

  async end(id: string, seconds: number): Promise<KeyInfo | undefined> {
    const [row] = await this.change(endKey, [id, seconds]);
    return row && infoOf(row);
  }

  /** From now on tokens of this subject count that are issued later. */
  async revokeSubject(issuer: string, subject: string): Promise<void> {
    await this.change(revokeSubject, [issuer, subject]);
  }

  private async read<Row, Values>(asked: Statement<Row, Values>, ...given: Given<Values>): Promise<Row[]> {
    return (await ask(this.pool, asked, ...given)).rows;
  }

  private async change<Row, Values>(asked: Statement<Row, Values>, ...given: Given<Values>): Promise<Row[]> {
    const { rows } = await query(this.pool, asked, ...given).catch((cause) =>
      Promise.reject(writeError(cause)),
    );
    await this.onChange();
    return rows;
  }
}

function infoOf(row: KeyRow): KeyInfo {
  const { commands, reads } = row;
  return {
    id: row.id,
    tenant: row.tenant ?? '',
    ledgerWide: row.ledger_wide,
    principal: row.principal,
    permissions: permissionsOf(row),
    environments: row.environments ?? undefined,
    limits:
      commands === null && reads === null
        ? undefined
        : { commands: commands ?? undefined, reads: reads ?? undefined },
    name: row.name,
    madeAt: row.made_at.toISOString(),
    madeBy: row.made_by,
    expiresAt: row.expires_at?.toISOString(),
    revokedAt: row.revoked_at?.toISOString(),
    usedOn: row.used_on ?? undefined,
  };
}
