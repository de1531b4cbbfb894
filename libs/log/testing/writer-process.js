// A replica's writer in a process of its own, to be killed or paused: plain JavaScript, runs what was built.
//   node writer-process.js <database URL> <source> <partitions> <callers>
// Starts sessions for as long as it lives, and prints `<command id> <partition>:<sequence>` for each answer.

import { v4 } from 'uuid';
import { LedgerWriter, newSessionId, roleOf } from '#log';
import { partitionOf, scopeKey } from '#session';

const [url, source, partitions, callers] = process.argv.slice(2);
const writer = new LedgerWriter({
  database: { url, role: await roleOf({ url }, 'service'), statementMs: 500 },
  source,
  lanes: 2,
  maxBatch: 512,
  maxQueue: 10_000,
  deadlineMs: 5_000,
  settleMs: 5_000,
  onCommitted: () => undefined,
  onBatch: () => undefined,
  onFault: (error) => console.error(`fault: ${error.message}`),
});

async function call(caller) {
  const scope = { tenant: 'acme', userId: `process-user-${caller % 16}`, projectId: 'default' };
  const key = scopeKey(scope);
  const partition = partitionOf(key, Number(partitions));
  for (;;) {
    const command = {
      type: 'StartSession',
      scope,
      sessionId: newSessionId(partition),
      owner: { environment: 'cloud-dev' },
      onConflict: 'supersede',
      principal: 'one',
      operate: false,
    };
    const commandId = v4();
    try {
      const { position } = await writer.submit({
        command,
        tenant: 'acme',
        partition,
        scopeKey: key,
        commandId,
      });
      console.log(`${commandId} ${position.partition}:${position.sequence}`);
    } catch (error) {
      console.log(`${error.code} ${commandId}`);
    }
  }
}
for (let caller = 0; caller < Number(callers); caller += 1) call(caller);
