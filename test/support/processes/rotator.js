// One worker of a site builder, as a process of its own. Runs operations of an AI tool on one project, each of which
// gives a new session, until the chain is so long; tells the ledger of each, what it used, and in the end which session it
// holds. Prints what it is answered, a line each.
//   node rotator.js <ledger's address> <user> <project> <name> <reason> <milliseconds of an operation> <chain length>
import { setTimeout as pause } from 'node:timers/promises';

const [address, userId, projectId, name, reason, operationMs, length] = process.argv.slice(2);

/** Asks until it is answered: a ledger that restarts is asked again, for the very same. */
async function ask(path, body) {
  for (;;) {
    try {
      const response = await fetch(address + path, {
        ...(body && {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      });
      const answer = await response.json();
      if (response.status < 500) return { status: response.status, ...answer };
    } catch {
      // nobody there
    }
    await pause(50);
  }
}

let current = await ask(`/v1/current?userId=${userId}&projectId=${projectId}`);
let operations = 0;
let isLate = false;
while (current.chainLength < Number(length)) {
  if (!isLate) await pause(Number(operationMs));
  operations += 1;
  const { sessionId, epoch } = current;
  const successorHandle = { kind: 'agent', value: `${userId} ${name}-${operations}` };
  const usage = { outputTokens: 3, cost: { amount: '0.001', currency: 'EUR' } };
  const rotation = { epoch, reason, versionId: `${name}-${operations}`, successorHandle, usage };
  const answer = await ask(`/v1/sessions/${sessionId}/rotate`, rotation);
  isLate = answer.status !== 200;
  if (isLate) {
    console.log(`lost ${sessionId} ${answer.type} ${answer.current?.sessionId}`);
    current = answer.current; // who won: goes on from there
    continue;
  }
  const { partition, sequence } = answer.position;
  console.log(`won ${sessionId} ${answer.session.sessionId} ${partition}:${sequence}`);
  // The answer may have been lost on its way: who asks again gets the same successor.
  const again = await ask(`/v1/sessions/${sessionId}/rotate`, rotation);
  console.log(`again ${answer.session.sessionId} ${again.outcome} ${again.session?.sessionId}`);
  current = again.current ?? again.session;
}
const scope = { userId, projectId: decodeURIComponent(projectId) };
await ask('/v1/reports', [{ consumer: name, ...scope, sessionId: current.sessionId }]);
console.log('done');
