// A process of a bridge that names no session: prints the automatic one, twice.
//   node automatic.js <ledger's address>
import { LedgerClient, SessionResolver } from '../../../dist/libs/client/index.js';
import { currentContext } from '../../../dist/libs/client/node.js';

const [url] = process.argv.slice(2);
const ledger = new LedgerClient({ url });
const resolver = new SessionResolver({
  ledger,
  context: currentContext,
  automatic: () =>
    ledger.start({ userId: 'bridge', projectId: crypto.randomUUID(), owner: { environment: 'bridge' } }),
});
const calls = await Promise.all(Array.from({ length: 20 }, () => resolver.resolve()));
console.log(`automatic ${[...new Set(calls.map(({ sessionId }) => sessionId))]}`);
console.log(`again ${(await resolver.resolve()).sessionId} ${ledger.held.length}`);
await ledger[Symbol.asyncDispose]();
