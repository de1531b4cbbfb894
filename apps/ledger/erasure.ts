import { CommandBus } from '@nestjs/cqrs';
import { UserScopes } from '#log';
import { ProblemError } from '#protocol';
import { type Position, parseScopeKey, type Scope, type ScopeKey } from '#session';
import type { Caller } from './caller.js';
import { Execute } from './execute.js';
import { Submissions } from './submissions.js';

/** Most scopes that one request erases; what is left is for the next one. */
export const MOST_SCOPES = 500;
/** At once, so that other commands wait no longer than for an ordinary batch. */
const SLICE = 50;

/** What was erased: the scopes whose details went, each with the event that says so. */
export interface Erased {
  erased: { scope: Omit<Scope, 'tenant'>; position: Position }[];
  /** Whether nothing is left. */
  complete: boolean;
}

/**
 * Forgets details. What is left to do stands in the table of details itself, so erasing needs no job: whoever
 * asks again, after a crash or a full page, goes on where it stopped.
 */
export class Erasure {
  constructor(
    private readonly scopes: UserScopes,
    private readonly submissions: Submissions,
    private readonly commands: CommandBus,
  ) {}

  /**
   * The details of one scope, or without a project of all scopes of the user, at most MOST_SCOPES. Throws
   * `operate-required`. What fails on its way leaves the rest for another request, and is thrown only where nothing
   * was erased: what was is told.
   */
  async erase(caller: Caller, userId: string, projectId?: string): Promise<Erased> {
    if (!caller.operate) throw new ProblemError('operate-required');
    const { scopeKey } = this.submissions.scope(caller, userId, projectId);
    const found = await this.find(scopeKey, projectId !== undefined);
    const erased: Erased['erased'] = [];
    const now = found.slice(0, MOST_SCOPES);
    for (let start = 0; start < now.length; start += SLICE) {
      const slice = now.slice(start, start + SLICE).map((key) => this.eraseScope(caller, key));
      const ended = await Promise.allSettled(slice);
      erased.push(...ended.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
      const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      const worst = failures.find(({ code }) => code === 'unknown-outcome') ?? failures[0];
      if (worst && erased.length === 0) throw worst;
      if (worst) return { erased, complete: false };
    }
    return { erased, complete: found.length <= MOST_SCOPES };
  }

  private async find(scopeKey: ScopeKey, alone: boolean): Promise<ScopeKey[]> {
    if (!alone) return this.scopes.detailed(scopeKey, MOST_SCOPES + 1);
    return (await this.scopes.hasDetails(scopeKey)) ? [scopeKey] : [];
  }

  private async eraseScope(caller: Caller, scopeKey: ScopeKey): Promise<Erased['erased']> {
    const { userId, projectId } = parseScopeKey(scopeKey);
    const answer = await this.commands.execute(
      new Execute(this.submissions.erase(caller, userId, projectId)),
    );
    if (answer.kind !== 'accepted') throw new Error(`an erasure was answered ${answer.kind}`);
    // Somebody else was faster: there is nothing of this request in the log.
    if (answer.outcome !== 'erased') return [];
    return [{ scope: { userId, projectId }, position: answer.position }];
  }
}
