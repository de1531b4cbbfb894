// A process that owns a session, and writes to its document in Postgres whenever it may. On SIGUSR2 it stops itself
// in the middle of its next write. Prints what it does, a line each, and ends some time after it lost the session.
//   node owner.js <ledger's address> <database> <user> <lease in seconds>
import pg from 'pg';
import { fenceSql, LedgerClient } from '../../../dist/libs/client/index.js';

const [url, connectionString, userId, seconds] = process.argv.slice(2);
const documents = new pg.Pool({ connectionString, max: 1 });
const ledger = new LedgerClient({ url });
const session = await ledger.start({
  userId,
  owner: { environment: 'cloud-dev' },
  lease: { seconds: Number(seconds), graceSeconds: 60 },
});
console.log(`started ${session.sessionId} ${session.epoch}`);

let isToStop = false;
process.on('SIGUSR2', () => {
  isToStop = true;
});

let isWriting = false;
async function write({ epoch }) {
  isWriting = true;
  console.log(`begun ${epoch}`);
  if (isToStop) {
    isToStop = false;
    console.log('asleep');
    process.kill(process.pid, 'SIGSTOP');
    console.log('awake');
    void attempt(); // before it can hear anything: only its own clock can tell
  }
  const { set, where, value } = fenceSql(epoch, 'session_epoch', 2);
  const statement = `update documents set text = $1, ${set} where id = 1 and ${where}`;
  const { rowCount } = await documents.query(statement, ['cloud-dev', value]);
  console.log(`written ${rowCount}`);
  isWriting = false;
}

let isLost = false;
session.onLost(({ why }) => {
  isLost = true;
  console.log(`lost ${why}`);
});

let refusedSince = 0;
async function attempt() {
  try {
    await session.run(write);
  } catch ({ why }) {
    console.log(`not begun ${why}`);
    refusedSince += isLost ? 1 : 0;
    if (refusedSince !== 10) return;
    clearInterval(attempts);
    ledger.close();
    await documents.end();
    console.log('over');
  }
}
const attempts = setInterval(() => isWriting || attempt(), 25); // one at a time, however slow the database is
