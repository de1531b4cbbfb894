import { parseScopeKey, partitionOf, type ScopeKey } from '#session';
import { pause } from '#waiting';
import type { Answered, Asked, Serving } from '../asked.js';
import type { Caller } from '../caller.js';
import type { Latest, Ledger, Meant } from '../ledger.port.js';
import { type Problem, problemBody, retryAfterOf } from '../problems/problem-body.js';
import { ProblemError } from '../problems/problem-error.js';
import type { OperationId } from '../schemas/operations.js';
import { storedJson } from './answers.js';
import { commands } from './commands.js';
import { handleOf, scopeOf } from './scopes.js';

type Sent = Asked<'sendCommands'>['body']['commands'][number];
type Named = Asked<'currentSessions'>['body']['of'][number];
type Serve = (asked: Asked<OperationId>, ledger: Ledger) => Answered | Promise<Answered>;

/** How long the commands of a list are read and checked at a time, in milliseconds, before others have their turn. */
const SLICE_MS = 4;

/**
 * Many in one request. Each is served as it would be by itself. All commands are on their way before the first is decided:
 * those of a scope keep their order, and what arrives together is committed together. What precedes that is done in slices,
 * so that a long list does not hold the event loop.
 */
export const many: Pick<Serving, 'sendCommands' | 'currentSessions'> = {
  async sendCommands(asked, ledger): Promise<Answered> {
    let submitAll = () => {};
    const allReady = new Promise<void>((resolve) => {
      submitAll = resolve;
    });
    const answers: Promise<string>[] = [];
    const submit: Ledger['submit'] = async (one) => {
      await allReady;
      one.list = answers;
      return ledger.submit(one);
    };
    const together = { ...ledger, submit };
    let since = performance.now();
    for (const [index, sent] of asked.body.commands.entries()) {
      if (performance.now() - since > SLICE_MS) {
        await pause(0);
        since = performance.now();
      }
      answers.push(answerTo(sent, index, asked, together));
    }
    submitAll();
    return { json: inAnswers(await Promise.all(answers)) };
  },
  async currentSessions(asked, ledger): Promise<Answered> {
    const scopes = await scopesOf(asked.caller, asked.body.of, ledger);
    const answers = scopes.map(async (found) => {
      if ('code' in found) return problemJson(found);
      return currentJson(await ledger.latest(found, false));
    });
    const told = answers.map((answer) => answer.catch((error) => problemJson(asked.problemOf(error))));
    return { json: inAnswers(await Promise.all(told)) };
  },
};

const inAnswers = (answers: readonly string[]) => `{"answers":[${answers.join(',')}]}`;

/** The JSON of what a command is answered. */
async function answerTo(
  sent: Sent,
  index: number,
  all: Asked<'sendCommands'>,
  ledger: Ledger,
): Promise<string> {
  const answered = await served(sent, index, all, ledger);
  all.tell(sent.operation, answered);
  return answerJson(answered);
}

/** Never rejects: what is wrong with a command is the answer to it. */
async function served(
  { operation, sessionId, body = {}, idempotencyKey: key }: Sent,
  index: number,
  all: Asked<'sendCommands'>,
  ledger: Ledger,
): Promise<Answered> {
  const place = `commands.${index}`;
  try {
    if (!Object.hasOwn(commands, operation)) {
      throw new ProblemError('invalid-request', `${place}.operation cannot be sent in a list`);
    }
    if (operation === 'startSession' && sessionId !== undefined) {
      throw new ProblemError(
        'invalid-request',
        `${place}.sessionId has to be left out: the ledger chooses it`,
      );
    }
    const params = sessionId === undefined ? {} : { sessionId };
    const one = all.one(operation as OperationId, { params, body, key }, place);
    // Whoever repeats the request by its key repeats its commands, those without a key of their own as well.
    if (key === undefined && all.key !== undefined) one.key = JSON.stringify([all.key, index]);
    return await (commands[operation as keyof typeof commands] as Serve)(one, ledger);
  } catch (error) {
    return { problem: all.problemOf(error) };
  }
}

function answerJson({ problem, json = '{}', status = 200, headers }: Answered): string {
  if (problem) return problemJson(problem);
  const replayed = headers?.['idempotency-replayed'] ? ',"replayed":true' : '';
  return `{"status":${status}${replayed},${json.slice(1)}`;
}

/** What a header says of the answer to one alone is a member here. */
function problemJson(problem: Problem): string {
  const retryAfter = retryAfterOf(problem);
  return JSON.stringify({ ...problemBody(problem), ...(retryAfter !== undefined && { retryAfter }) });
}

function currentJson(latest: Latest | undefined): string {
  if (latest && !latest.ended) return `{"status":200,"session":${storedJson(latest)}}`;
  return problemJson({
    code: 'no-current-session',
    more: latest ? { last: JSON.parse(storedJson(latest)) } : {},
  });
}

/** The scope that each of them means. */
async function scopesOf(caller: Caller, named: readonly Named[], ledger: Ledger) {
  const hashes = named.map((one) => ('kind' in one ? handleOf(caller, one, ledger).hash : undefined));
  const ids = named.flatMap((one) => ('sessionId' in one ? [one.sessionId] : []));
  const known = hashes.filter((hash) => hash !== undefined);
  const none: ReadonlyMap<string, Meant> = new Map();
  const [handles, sessions] = await Promise.all([
    known.length > 0 ? ledger.finder.byHandle([...new Set(known)], caller.tenant) : none,
    ids.length > 0 ? ledger.finder.bySession([...new Set(ids)], caller.tenant) : none,
  ]);
  return named.map((one, index): { scopeKey: ScopeKey; partition: number } | Problem => {
    if ('userId' in one) return scopeOf(caller, one, ledger);
    const isHandle = 'kind' in one;
    const found = isHandle ? handles.get(hashes[index] as string) : sessions.get(one.sessionId);
    // Another tenant's is unknown, whoever names it.
    if (!found || parseScopeKey(found.scopeKey).tenant !== caller.tenant)
      return { code: isHandle ? 'unknown-handle' : 'unknown-session' };
    return { scopeKey: found.scopeKey, partition: partitionOf(found.scopeKey, ledger.partitions) };
  });
}
