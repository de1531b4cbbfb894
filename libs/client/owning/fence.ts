/** A fence knows as many resources as it may: it cannot forget one by itself without letting old epochs in. */
export class FenceFull extends Error {
  override readonly name = 'FenceFull';
}

/**
 * Stands before what sessions write to, in the memory of the process that does the writing: lets an epoch through
 * unless a higher one was there before. Epochs belong to one scope, so a resource has to, too.
 */
export class Fence {
  readonly #highest = new Map<string, number>();
  readonly #most: number;

  /** `most`: resources, 100,000 unless set; the next one is refused with FenceFull. */
  constructor({ most = 100_000 }: { most?: number } = {}) {
    this.#most = most;
  }

  /** Whether a write under this epoch may be done. Once true, no lower epoch is accepted for this resource. */
  accept(resource: string, epoch: number): boolean {
    if (!Number.isSafeInteger(epoch) || epoch < 0) return false;
    const highest = this.#highest.get(resource);
    if (highest === undefined && this.#highest.size >= this.#most) {
      throw new FenceFull(`${this.#most} resources are known: forget those that no old session can reach`);
    }
    if (highest !== undefined && epoch < highest) return false;
    this.#highest.set(resource, epoch);
    return true;
  }

  /** Forgets a resource that is gone. */
  forget(resource: string): void {
    this.#highest.delete(resource);
  }
}

/** The parts of a statement that fences a row, for any client of Postgres. */
export interface FenceSql {
  /** For `set`: the row remembers the epoch. */
  set: string;
  /** For `where`: the row has seen no higher epoch. */
  where: string;
  /** The parameter's value. */
  value: number;
}

/**
 * The same in the user's own table: an UPDATE with `set` and `where` in one statement changes the row, or changes
 * none when a higher epoch was there (look at the number of rows). Under READ COMMITTED Postgres compares once more
 * after waiting for the row's lock, so two at once cannot both win wrongly.
 *
 * `column`: a bigint, null while the row was never written under an epoch. `parameter`: its number in the statement.
 */
export function fenceSql(epoch: number, column: string, parameter: number): FenceSql {
  if (!Number.isSafeInteger(epoch) || epoch < 0) throw new TypeError(`${epoch} is not an epoch`);
  if (!Number.isInteger(parameter) || parameter < 1) throw new TypeError(`$${parameter} is not a parameter`);
  const name = `"${column.replaceAll('"', '""')}"`;
  return {
    set: `${name} = $${parameter}::bigint`,
    where: `coalesce(${name}, 0) <= $${parameter}::bigint`,
    value: epoch,
  };
}
