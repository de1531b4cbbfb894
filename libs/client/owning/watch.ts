import { backoffMs, rest } from '#waiting';
import type { Transport } from '../calls/transport.js';
import { now } from '../clock.js';
import { isProblem } from '../errors.js';
import type { Session } from '../generated/api.js';
import type { LossReason, Seen } from './loss.js';

const WAIT_SECONDS = 30;
/** A ledger that lags behind what it has told catches up by then: one that does not was restored. */
const RESTORED_MS = 10_000;
/** How long a loss waits for the record of how it came about. */
const WHY_MS = 60;

export interface WatchOptions {
  transport: Transport;
  scope: Session['scope'];
  /** The revision that is known already. */
  after(): number;
  onSeen(seen: Seen): void;
  /** The ledger knows less than it has told before, and that is how it stays: this is what it knows. */
  onRestored(seen: Seen): void;
  onTrouble(error: unknown): void;
  signal: AbortSignal;
}

/** Waits on a scope at the ledger, and tells what it sees there, until the signal aborts. Never rejects. */
export async function watchScope({
  transport,
  scope,
  after,
  onSeen,
  onRestored,
  onTrouble,
  signal,
}: WatchOptions): Promise<void> {
  let behindSince: number | undefined;
  for (let failures = 0; !signal.aborted; ) {
    try {
      const known = after();
      const seen = await look(transport, scope, known, signal);
      if (seen && revisionOf(seen) < known) {
        failures += 1; // it answers at once, over and over
        behindSince ??= now();
        if (now() - behindSince > RESTORED_MS) onRestored(seen);
      } else {
        failures = 0;
        behindSince = undefined;
        if (seen) onSeen(seen);
      }
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      onTrouble(error);
    }
    // Also after a success a moment: a ledger that answers at once, over and over, is not asked without end.
    await rest(failures > 0 ? backoffMs(failures) : 1, signal);
  }
}

/** Of a scope that has had no session: 0. */
function revisionOf({ current, last }: Seen): number {
  return (current ?? last)?.revision ?? 0;
}

/** What is there once its revision is another one than `after`; undefined when that is still so after half a minute. */
async function look(
  transport: Transport,
  { userId, projectId }: Session['scope'],
  after: number,
  signal: AbortSignal,
): Promise<Seen | undefined> {
  const query = { userId, projectId, wait: WAIT_SECONDS, after };
  const ms = (WAIT_SECONDS + 10) * 1_000;
  try {
    const { body } = await transport.call(
      'currentSession',
      { query },
      { signal, attemptMs: ms, deadlineMs: ms },
    );
    return body && { current: body };
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
