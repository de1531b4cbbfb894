// A process that owns a session, and writes to a resource elsewhere whenever it may. Prints what it does, a line each.
//   node owner.js <ledger's address> <resource's address> <user> <lease in seconds>
import { setTimeout as pause } from 'node:timers/promises';
import { LedgerClient } from '../../dist/libs/client/index.js';

const [url, resource, userId, seconds] = process.argv.slice(2);
const ledger = new LedgerClient({ url });
const session = await ledger.start({
  userId,
  owner: { environment: 'cloud-dev' },
  lease: { seconds: Number(seconds), graceSeconds: 60 },
});
session.onLost(({ why, current }) => console.log(`lost ${why} ${current?.sessionId}`));
console.log(`started ${session.sessionId} ${session.epoch}`);

/** A write that takes its time, so that the process can be stopped in the middle of it. */
async function write({ epoch }) {
  console.log(`begun ${epoch}`);
  await pause(200);
  const { status } = await fetch(`${resource}/?epoch=${epoch}`, { method: 'POST' });
  console.log(`written ${status}`);
}

// By a timer, because timers come first when a process wakes: before any answer that waited for it.
const attempts = setInterval(async () => {
  await session.run(write).catch(({ why }) => console.log(`not begun ${why}`));
}, 25);
session.onLost(async () => {
  await pause(200);
  clearInterval(attempts);
  console.log('over');
});
