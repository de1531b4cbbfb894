import type { KeyLimits } from '#api';
import type { Asking } from './asking.js';
import { Bucket } from './bucket.js';

/** What is counted: items of what changes something, and of what only reads. */
export type Counted = 'commands' | 'reads';

/** A limit that was reached, as answers tell it. */
export interface Reached {
  /** `key-commands`, `tenant-reads` … */
  policy: string;
  perSecond: number;
  /** Whole seconds until there is enough again: at least 1. */
  seconds: number;
}

const MOST_BUCKETS = 20_000;

/** How much a key and its tenant may ask for in a second, counted in items: a list of 1,000 renewals is 1,000. */
export class Limits {
  private readonly buckets = new Map<string, Bucket>();

  /** `perTenant`: of all keys of a tenant together; undefined: no limit. */
  constructor(private readonly perTenant: KeyLimits) {}

  /** Takes items from both; undefined when both have them. */
  take({ caller, name, limits }: Asking, counted: Counted, items: number): Reached | undefined {
    const own = limits?.[counted];
    const ofTenant = caller.tenant === '' ? undefined : this.perTenant[counted];
    if (own === undefined && ofTenant === undefined) return undefined;
    const policy = `key-${counted}`;
    const reached = this.takeOne(own, policy, name, items);
    if (reached) return reached;
    const beyond = this.takeOne(ofTenant, `tenant-${counted}`, caller.tenant, items);
    if (beyond) this.buckets.get(`${policy} ${name}`)?.giveBack(items);
    return beyond;
  }

  private takeOne(
    perSecond: number | undefined,
    policy: string,
    of: string,
    items: number,
  ): Reached | undefined {
    if (perSecond === undefined) return undefined;
    const name = `${policy} ${of}`;
    let bucket = this.buckets.get(name);
    if (bucket?.perSecond !== perSecond) {
      if (this.buckets.size >= MOST_BUCKETS) this.buckets.delete(this.buckets.keys().next().value ?? '');
      bucket = new Bucket(perSecond);
      this.buckets.set(name, bucket);
    }
    const seconds = bucket.take(items);
    return seconds > 0 ? { policy, perSecond, seconds: Math.ceil(seconds) } : undefined;
  }
}
