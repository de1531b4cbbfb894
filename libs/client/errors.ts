import { type Problem, type ProblemCode, problems, type Session } from './generated/api.js';

/** What a call that failed has to say besides its message. */
export interface Failure {
  /**
   * Whether the command may have been obeyed all the same: nobody answered, or nobody knew. What answers a repetition
   * settles that only when it is the ledger that has decided.
   */
  outcomeUnknown: boolean;
  /** Asking again with it (`idempotencyKey`) is obeyed at most once. Absent for reads. */
  idempotencyKey?: string | undefined;
  cause?: unknown;
}

/** Whatever goes wrong between this client and the ledger. */
export abstract class LedgerError extends Error {
  readonly outcomeUnknown: boolean;
  readonly idempotencyKey: string | undefined;

  constructor(message: string, { outcomeUnknown, idempotencyKey, cause }: Failure) {
    super(message, cause === undefined ? undefined : { cause });
    this.outcomeUnknown = outcomeUnknown;
    this.idempotencyKey = idempotencyKey;
  }
}

/**
 * The ledger answered with a problem (RFC 9457). `code` tells which; one that this version does not know is
 * `unknown-problem`, and `type` has its name. Sessions are getters, so that no log prints their ids by itself.
 */
export class LedgerProblem<Code extends ProblemCode | 'unknown-problem' = AnyCode> extends LedgerError {
  override readonly name = 'LedgerProblem';
  readonly code: Code;
  readonly status: number;
  readonly type: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly detail: string | undefined;
  /** For `reserved`: when it is over, by the ledger's clock. */
  readonly until: string | undefined;
  readonly #problem: Problem;

  constructor(problem: Problem, failure: Failure) {
    const code = codeOf(problem.type);
    super(`${code}: ${problem.detail ?? problem.title}`, failure);
    this.code = code as Code;
    this.status = problem.status;
    this.type = problem.type;
    this.retryable = problem.retryable;
    this.detail = problem.detail;
    this.until = problem.until;
    this.#problem = problem;
  }

  /** The current session of the scope, where there is one. */
  get current(): Session | undefined {
    return this.#problem.current;
  }

  /** For `no-current-session`: the last one. */
  get last(): Session | undefined {
    return this.#problem.last;
  }

  /** For `archived`, of the feed: where it begins, and the files in which what is before is to be read. */
  get archived(): { partition: number; firstSequence: number; files: ArchiveFile[] } | undefined {
    const { partition, firstSequence, files } = this.#problem;
    if (partition === undefined || firstSequence === undefined) return undefined;
    return { partition, firstSequence, files: files ?? [] };
  }
}

type ArchiveFile = NonNullable<Problem['files']>[number];
type AnyCode = ProblemCode | 'unknown-problem';

/** Every problem, told apart by `code`. */
export type AnyLedgerProblem = { [Code in AnyCode]: LedgerProblem<Code> }[AnyCode];

/** Whether an error is a problem of the ledger with one of these codes; any problem, when none is named. */
export function isProblem<Code extends AnyCode = AnyCode>(
  error: unknown,
  ...codes: Code[]
): error is { [One in Code]: LedgerProblem<One> }[Code] {
  if (!(error instanceof LedgerProblem)) return false;
  return codes.length === 0 || codes.includes(error.code as Code);
}

/** The code of a problem's `type`. */
export function codeOf(type: string): AnyCode {
  const code = /^\/problems\/([a-z-]+)$/.exec(type)?.[1] ?? '';
  return Object.hasOwn(problems, code) ? (code as ProblemCode) : 'unknown-problem';
}

/** Something answered, and it does not speak the ledger's language: a proxy's page, half a body, other JSON. */
export class UnexpectedAnswer extends LedgerError {
  override readonly name = 'UnexpectedAnswer';

  constructor(
    readonly status: number,
    what: string,
    failure: Failure,
  ) {
    super(`unexpected answer with status ${status}: ${what}`, failure);
  }
}

/** Nobody answered before the deadline: `cause` is what the last attempt ran into. */
export class NoAnswer extends LedgerError {
  override readonly name = 'NoAnswer';

  constructor(
    readonly attempts: number,
    failure: Failure,
  ) {
    super(
      `no answer from the ledger after ${attempts === 1 ? 'one attempt' : `${attempts} attempts`}`,
      failure,
    );
  }
}

/**
 * There is nothing to send as `Authorization`: the token holds what no header can carry, or its file cannot be read. It is
 * not tried again, and nothing of the token stands in it.
 */
export class CredentialError extends LedgerError {
  override readonly name = 'CredentialError';

  constructor(what: string, failure: Failure = { outcomeUnknown: false }) {
    super(what, failure);
  }
}

/** This client has as much to do as it may: the call was not sent. */
export class ClientBusy extends LedgerError {
  override readonly name = 'ClientBusy';

  constructor(what: string) {
    super(what, { outcomeUnknown: false });
  }
}
