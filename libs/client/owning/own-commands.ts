import { ClientBusy } from '../errors.js';
import type { OperationId, Operations, Owner } from '../generated/api.js';

type OwnersBody = { epoch: number; owner?: Owner } | { epoch: number; origin: Owner };

/** What an owner may do to its session, besides keeping it. */
export type OwnCommand = Exclude<
  {
    [Id in OperationId]: Operations[Id] extends { params: { sessionId: string }; body: OwnersBody }
      ? Id
      : never;
  }[OperationId],
  'claimOwnership' | 'renewLease'
>;

/** What the owner says in such a command; the rest is known. */
export type OwnBody<Id extends OwnCommand> = Omit<Operations[Id]['body'], 'epoch' | 'owner' | 'origin'>;

/** They leave the epoch as it was; after any other command it may be another one. */
const KEEP_EPOCH: ReadonlySet<OwnCommand> = new Set(['activateSession', 'changeAttributes', 'changeHandles']);

const MOST = 100;

/** The commands of one session: each begins when the one before it is done, so that it knows its epoch. */
export class OwnCommands {
  readonly #waiting: OwnCommand[] = [];
  #done: Promise<void> = Promise.resolve();

  /** Settles when those that wait now are done. Never rejects. */
  get done(): Promise<void> {
    return this.#done;
  }

  /** None is under way, and none waits. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /** One of them gives the session another epoch, or gives it up. */
  get changeEpoch(): boolean {
    return this.#waiting.some(changesEpoch);
  }

  /** One of them gives the session up. */
  get leave(): boolean {
    return this.#waiting.some((one) => one === 'releaseOwnership' || one === 'endSession');
  }

  /** Executes a command after those that wait. Rejects with ClientBusy when 100 do. */
  add<T>(command: OwnCommand, execute: () => Promise<T>): Promise<T> {
    if (this.#waiting.length >= MOST)
      return Promise.reject(new ClientBusy(`${MOST} commands of the session wait`));
    this.#waiting.push(command);
    const result = this.#done.then(execute).finally(() => this.#waiting.shift());
    this.#done = result.then(ignore, ignore);
    return result;
  }
}

/** Whether the session may have another epoch after it, or nobody to hold it. */
export function changesEpoch(command: OwnCommand): boolean {
  return !KEEP_EPOCH.has(command);
}

function ignore(): void {}
