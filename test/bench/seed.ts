import { anonymous } from '../../apps/ledger/caller.js';
import { Submissions } from '../../apps/ledger/submissions.js';
import { openHere } from './ledger.js';
import { startBody } from './scopes.js';

const CALLERS = 1_024;

/** Makes a ledger in an empty database and starts a session in each of the first `count` scopes. */
export async function seed(databaseUrl: string, count: number, signal: AbortSignal): Promise<void> {
  const ledger = await openHere(databaseUrl);
  try {
    const submissions = new Submissions(ledger.identity);
    let next = 0;
    const caller = async () => {
      while (next < count && !signal.aborted) {
        const body = startBody(next++);
        await ledger.writer.submit(
          submissions.start(anonymous, body, { key: undefined, path: '/v1/sessions', body }),
        );
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
  } finally {
    await ledger.close();
  }
}
