import type { Session } from './api.js';
import { isProblem } from './errors.js';
import type { LossReason, Seen } from './loss.js';
import type { Transport } from './transport.js';
import { backoffMs, pause } from './waiting.js';

const WAIT_SECONDS = 30;
/** How long a loss waits for the record of how it came about. */
const WHY_MS = 60;

export interface WatchOptions {
  transport: Transport;
  scope: Session['scope'];
  /** The revision that is known already. */
  after(): number;
  onSeen(seen: Seen): void;
  onTrouble(error: unknown): void;
  signal: AbortSignal;
}

/** Waits on a scope at the ledger, and tells what it sees there, until the signal aborts. Never rejects. */
export async function watchScope({
  transport,
  scope,
  after,
  onSeen,
  onTrouble,
  signal,
}: WatchOptions): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    try {
      onSeen(await look(transport, scope, after(), signal));
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      onTrouble(error);
    }
    // Also after a success a moment: a ledger that answers at once, over and over, is not asked without end.
    await pause(failures > 0 ? backoffMs(failures) : 1, signal).catch(() => {});
  }
}

/** What is there now, or once its revision is above `after`, or after half a minute. */
async function look(
  transport: Transport,
  { userId, projectId }: Session['scope'],
  after: number,
  signal: AbortSignal,
): Promise<Seen> {
  const query = { userId, projectId, wait: WAIT_SECONDS, after };
  const ms = (WAIT_SECONDS + 10) * 1_000;
  try {
    const { body } = await transport.call(
      'currentSession',
      { query },
      { signal, attemptMs: ms, deadlineMs: ms },
    );
    return { current: body };
  } catch (error) {
    if (isProblem(error, 'no-current-session')) return { last: error.last };
    throw error;
  }
}

/** How a session came to its end that is not current any more, as far as that can be told at once. Never rejects. */
export function endCauseOf(transport: Transport, sessionId: string): Promise<LossReason> {
  const limits = { deadlineMs: WHY_MS, attemptMs: WHY_MS };
  return transport.call('session', { params: { sessionId } }, limits).then(
    ({ body }) => body.endCause ?? 'superseded',
    () => 'superseded', // that another one is current is known
  );
}
