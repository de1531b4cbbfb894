// One cloud environment, as a process of its own. Starts a session for a user and renews its lease, until it is
// told that the session is not its any more. Prints what it is answered, a line each.
//   node cloud.js <ledger's address> <environment> <user> <project> <grace in milliseconds>
// SIGUSR2: the user's connection here drops. After the grace it sends its stop, twice; on SIGHUP
// it sends the stop once more.
import { setTimeout as pause } from 'node:timers/promises';

const [address, environment, userId, projectId, graceMs] = process.argv.slice(2);
const owner = { environment };

/** Asks until it is answered: a ledger that restarts is asked again. */
async function ask(path, body) {
  for (;;) {
    try {
      const response = await fetch(address + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const answer = await response.json();
      if (response.status < 500) return { status: response.status, ...answer };
    } catch {
      // nobody there
    }
    await pause(100);
  }
}

const lease = { seconds: 2, graceSeconds: 3 };
const { session } = await ask('/v1/sessions', { userId, projectId, owner, lease });
const { sessionId, epoch } = session;
console.log(`started ${sessionId} ${epoch}`);

let isConnected = true;
async function stop() {
  const body = { epoch, origin: owner, reason: 'User session ended' };
  const { status, type, current } = await ask(`/v1/sessions/${sessionId}/end`, body);
  console.log(`stop ${status} ${type} ${current?.sessionId}`);
}
process.on('SIGHUP', stop);
process.on('SIGUSR2', async () => {
  isConnected = false;
  await pause(Number(graceMs));
  await stop();
  await stop();
});

let isMine = true;
while (isMine && isConnected) {
  await pause(400);
  const renewed = await ask(`/v1/sessions/${sessionId}/renew`, { epoch });
  isMine = renewed.status === 200;
  console.log(isMine ? `renewed ${renewed.until}` : `lost ${renewed.type} ${renewed.current?.sessionId}`);
}
setInterval(() => {}, 60_000); // stays, for the signals to come
