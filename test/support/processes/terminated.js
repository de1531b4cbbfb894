// A process that owns a session until SIGTERM. Prints the session's id.
//   node terminated.js <ledger's address>
import { LedgerClient } from '../../../dist/libs/client/index.js';
import { releaseOnSignal } from '../../../dist/libs/client/node.js';

const [url] = process.argv.slice(2);
const ledger = new LedgerClient({ url });
releaseOnSignal(ledger);
const { sessionId } = await ledger.start({ userId: 'ada', owner: { environment: 'cloud-dev' } });
console.log(`started ${sessionId}`);
