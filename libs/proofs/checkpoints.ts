import type pg from 'pg';
import type { KeptCheckpoint } from '#api';
import { Frontier, type SigningKey } from '#audit';
import { query } from '#postgres';
import { checkpointText, noteText } from '#tlog';
import { statement } from './statements.js';

const findUnkept = statement('find_unkept');
const keepCheckpoint = statement('keep_checkpoint');
const readKept = statement('read_kept_checkpoints');

/** Of a partition that grows, so often one is kept. */
const EVERY_SECONDS = 3_600;

/** Signs checkpoints, and keeps some of them. */
export class Checkpoints {
  constructor(
    private readonly pool: pg.Pool,
    /** Names the ledger in what is signed. */
    readonly name: string,
    private readonly signingKeys: readonly SigningKey[],
  ) {}

  get keys(): string[] {
    return this.signingKeys.map(({ verifierKey }) => verifierKey);
  }

  /** The note of a tree, signed with each key; without keys it has no signatures, and no verifier takes it. */
  note(partition: number, size: number, root: Uint8Array): string {
    const text = checkpointText({ origin: `${this.name}/${partition}`, size, root });
    return noteText({ text, signatures: this.signingKeys.map((key) => key.sign(text)) });
  }

  /** Keeps what is due: one an hour of each partition that grows, and one at the end of each archive. */
  async keep(): Promise<void> {
    if (this.signingKeys.length === 0) return;
    const { rows } = await query(this.pool, findUnkept, [EVERY_SECONDS]);
    for (const { partition, size, frontier } of rows) {
      const root = Frontier.restore(size, frontier).root();
      await query(this.pool, keepCheckpoint, [partition, size, this.note(partition, size, root)]);
    }
  }

  /** The newest first. */
  async kept(partition: number, before: number, limit: number): Promise<KeptCheckpoint[]> {
    const { rows } = await query(this.pool, readKept, [partition, before, limit]);
    return rows.map(({ size, kept_at, note }) => ({ size, keptAt: kept_at.toISOString(), note }));
  }
}
