import type { Ledger } from '../ledger.port.js';

/** What each ledger has one of, made when it is first needed: two in one process share nothing. */
export function oneEach<T>(make: () => T): (ledger: Ledger) => T {
  const made = new WeakMap<Ledger, T>();
  return (ledger) => {
    let one = made.get(ledger);
    if (one === undefined) {
      one = make();
      made.set(ledger, one);
    }
    return one;
  };
}
