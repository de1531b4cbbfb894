import { NotHeld } from './gate.js';

/**
 * What a process keeps for its sessions, each under its session's id and never under a user's: whoever names a
 * session reaches that one or none. For services that serve sessions without owning them.
 */
export class SessionGuards<Resource> {
  readonly #resources = new Map<string, Resource>();
  readonly #most: number;

  /** `most`: sessions, 100,000 unless set; the next one is refused with a RangeError. */
  constructor({ most = 100_000 }: { most?: number } = {}) {
    this.#most = most;
  }

  get size(): number {
    return this.#resources.size;
  }

  /** Keeps what belongs to a session. An id is never used for two sessions, so adding it twice is an error. */
  add(sessionId: string, resource: Resource): void {
    const id = sessionId.toLowerCase();
    if (this.#resources.has(id)) throw new RangeError('the session is known already');
    if (this.#resources.size >= this.#most) throw new RangeError(`${this.#most} sessions are known`);
    this.#resources.set(id, resource);
  }

  /** What belonged to the session, which is not reached any more; undefined when there is none such. */
  remove(sessionId: string): Resource | undefined {
    const id = sessionId.toLowerCase();
    const resource = this.#resources.get(id);
    this.#resources.delete(id);
    return resource;
  }

  /** Calls `work` with what belongs to this very session. Rejects with NotHeld, `not-here`, when there is none. */
  async guard<T>(sessionId: string, work: (resource: Resource) => T | Promise<T>): Promise<T> {
    const id = sessionId.toLowerCase();
    if (!this.#resources.has(id)) throw new NotHeld('not-here');
    return work(this.#resources.get(id) as Resource);
  }
}
