import { type Position, parseScopeKey, type Scope, type ScopeKey } from '#session';
import type { Asked, Serving } from '../asked.js';
import type { Caller } from '../caller.js';
import type { Ledger } from '../ledger.port.js';
import { positionText } from '../request/positions.js';
import { submissionOf } from './commands.js';
import { unkeyed } from './receipts.js';
import { scopeOf } from './scopes.js';

/** Most scopes that one request erases; what is left is for the next one. */
const MOST_SCOPES = 500;
/** At once, so that other commands wait no longer than for an ordinary batch. */
const SLICE = 50;

type Erased = { scope: Omit<Scope, 'tenant'>; position: Position }[];

/**
 * Forgets details. What is left to do stands with the details themselves, so erasing needs no job: whoever asks again,
 * after a crash or a full page, goes on where it stopped.
 */
export const erasure: Pick<Serving, 'eraseDetails'> = {
  async eraseDetails({ caller, query }: Asked<'eraseDetails'>, ledger) {
    const { scopeKey } = scopeOf(caller, query, ledger);
    const found = await find(scopeKey, query.projectId !== undefined, ledger);
    const { erased, isBroken } = await eraseAll(caller, found.slice(0, MOST_SCOPES), ledger);
    const [first, ...others] = erased;
    return {
      headers: first && others.length === 0 ? { 'ledger-position': positionText(first.position) } : {},
      body: {
        outcome: first ? 'erased' : 'unchanged',
        erased,
        complete: !isBroken && found.length <= MOST_SCOPES,
      },
    };
  },
};

/** What fails on its way leaves the rest for another request, and is thrown only where nothing was erased. */
async function eraseAll(
  caller: Caller,
  keys: readonly ScopeKey[],
  ledger: Ledger,
): Promise<{ erased: Erased; isBroken: boolean }> {
  const erased: Erased = [];
  for (let start = 0; start < keys.length; start += SLICE) {
    const slice = keys.slice(start, start + SLICE).map((key) => erase(caller, key, ledger));
    const ended = await Promise.allSettled(slice);
    erased.push(...ended.flatMap((one) => (one.status === 'fulfilled' ? one.value : [])));
    const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    const worst = failures.find(({ code }) => code === 'unknown-outcome') ?? failures[0];
    if (worst && erased.length === 0) throw worst;
    if (worst) return { erased, isBroken: true };
  }
  return { erased, isBroken: false };
}

async function find(scopeKey: ScopeKey, alone: boolean, { scopes }: Ledger): Promise<ScopeKey[]> {
  if (!alone) return scopes.detailed(scopeKey, MOST_SCOPES + 1);
  return (await scopes.hasDetails(scopeKey)) ? [scopeKey] : [];
}

async function erase(caller: Caller, key: ScopeKey, ledger: Ledger): Promise<Erased> {
  const { userId, projectId } = parseScopeKey(key);
  const { scope, scopeKey, partition } = scopeOf(caller, { userId, projectId }, ledger);
  const submission = submissionOf(unkeyed(caller), { type: 'EraseScope', scope }, partition, ledger);
  submission.scopeKey = scopeKey;
  const answer = await ledger.submit(submission);
  if (answer.kind !== 'accepted') throw new Error(`an erasure was answered ${answer.kind}`);
  // Somebody else was faster: there is nothing of this request in the log.
  if (answer.outcome !== 'erased') return [];
  return [{ scope: { userId, projectId }, position: answer.position }];
}
