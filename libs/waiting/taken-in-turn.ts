/** The first ones of each owner, one after the other, until there are so many. */
export function takenInTurn<T>(waiting: readonly T[], most: number, ownerOf: (one: T) => unknown): T[] {
  const byOwner = new Map<unknown, T[]>();
  for (const one of waiting) {
    const others = byOwner.get(ownerOf(one));
    if (others) others.push(one);
    else byOwner.set(ownerOf(one), [one]);
  }
  const taken: T[] = [];
  const enough = Math.min(most, waiting.length);
  for (let turn = 0; taken.length < enough; turn += 1) {
    for (const own of byOwner.values()) {
      const next = own[turn];
      if (next !== undefined && taken.length < enough) taken.push(next);
    }
  }
  return taken;
}
