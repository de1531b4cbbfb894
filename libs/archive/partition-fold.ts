import { createHash } from 'node:crypto';
import { Frontier, leafHash } from '#audit';
import { decodeEvent } from '#log';
import { evolve, noSessionYet, type ScopeKey, type ScopeState } from '#session';

/** An event's row, with the columns that copy what its bytes say. */
export interface LoggedEvent {
  sequence: number;
  version: number;
  type: string;
  scope_key: ScopeKey;
  /** Milliseconds since 1970. */
  at: number;
  bytes: Buffer;
}

/** The most faults that are kept in words; the others are only counted. */
const MOST_FAULTS = 100;

/** One partition's log, folded event by event, and what is wrong with it. Memory grows with its scopes, not with events. */
export class PartitionFold {
  readonly faults: string[] = [];
  moreFaults = 0;
  /** The tree over the bytes so far. */
  tree = Frontier.empty;
  private readonly scopes = new Map<ScopeKey, ScopeState>();
  private at = 0;

  fault(what: string): void {
    if (this.faults.length < MOST_FAULTS) this.faults.push(what);
    else this.moreFaults += 1;
  }

  /** Takes the next events; an unreadable one is a fault, and the fold goes on after it. */
  take(events: readonly LoggedEvent[]): void {
    for (const [index, event] of events.entries()) {
      const expected = this.tree.size + index + 1;
      if (event.sequence !== expected) this.fault(`${event.sequence} stands where ${expected} should`);
      if (event.at < this.at) this.fault(`${event.sequence} is earlier than the event before it`);
      this.at = event.at;
      try {
        this.fold(event);
      } catch (error) {
        this.fault(`${event.sequence} cannot be read: ${(error as Error).message}`);
      }
    }
    this.tree = this.tree.append(events.map(({ bytes }) => leafHash(bytes)));
  }

  private fold({ sequence, version, type, scope_key, bytes, at: column }: LoggedEvent): void {
    const { event, at, position } = decodeEvent(bytes.toString('utf8'));
    const copies = [position.sequence === sequence, event.type === type, Date.parse(at) === column];
    if (copies.includes(false)) this.fault(`the columns of ${sequence} differ from its bytes`);
    const state = evolve(this.scopes.get(scope_key) ?? noSessionYet, event);
    if (state.version !== version)
      this.fault(`${sequence} is its scope's ${state.version}., not its ${version}.`);
    this.scopes.set(scope_key, state);
  }

  /** Whether a stored state is what the scope's events fold to. Each scope is asked for once. */
  agrees(scopeKey: ScopeKey, version: number, latest: string): boolean {
    const state = this.scopes.get(scopeKey);
    return state?.version === version && JSON.stringify(state.latest) === latest;
  }

  get scopeCount(): number {
    return this.scopes.size;
  }

  /** Scopes that have a current session. */
  get currentCount(): number {
    let count = 0;
    for (const { latest } of this.scopes.values()) if (latest && latest.status !== 'ended') count += 1;
    return count;
  }

  /** SHA-256 over all states in the order of their scope keys, in hex: the same events fold to the same digest anywhere. */
  digest(): string {
    const hash = createHash('sha256');
    for (const key of [...this.scopes.keys()].sort()) {
      hash.update(`${key} ${JSON.stringify(this.scopes.get(key))}\n`);
    }
    return hash.digest('hex');
  }
}
