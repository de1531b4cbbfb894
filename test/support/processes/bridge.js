// One side of a bridge between two runtimes, over a socket: a line of JSON in, a line out.
//   node bridge.js <ledger url> <realm>
// {"refer": "secret"}: starts a session and answers with a reference of it. {"open": <reference>, "in": <name>?}: opens
// it, in the context of a session, if one is named. {"rotate": true}: the session has another epoch from then on.
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { LedgerClient, SessionReference, SessionResolver } from '../../../dist/libs/client/index.js';
import { currentContext, withSession } from '../../../dist/libs/client/node.js';

const [url, realm] = process.argv.slice(2);
const ledger = new LedgerClient({ url });
const resolver = new SessionResolver({ ledger, realm: { ledger: realm }, context: currentContext });
const targets = new Map();
let session;

async function answer({ refer, open, in: context, rotate }) {
  if (refer !== undefined) {
    session = await ledger.start({ userId: crypto.randomUUID(), owner: { environment: 'typescript' } });
    targets.set(session.sessionId, refer);
    return { reference: resolver.refer(session, refer) };
  }
  if (rotate) {
    await session.rotate({ reason: 'build' });
    return {};
  }
  // What a reference of ours leads to is known here; one from elsewhere is opened to its own name.
  const reference = SessionReference.parse(open, targets.get(open.session?.sessionId) ?? 'theirs');
  const opened = () => resolver.open(reference);
  return { target: await (context ? withSession(context, opened) : opened()) };
}

const server = createServer((socket) => {
  createInterface({ input: socket }).on('line', async (line) => {
    const said = await answer(JSON.parse(line)).catch((error) => ({ error: error.code ?? String(error) }));
    socket.write(`${JSON.stringify(said)}\n`);
  });
}).listen(0, '127.0.0.1', () => console.log(`bridge on ${server.address().port}`));
