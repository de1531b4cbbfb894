// What global-setup.js and global-teardown.js share: taking a test stack down, ours or a dead run's.
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stopLeftoverKafka, stopLeftoverPostgres } from '../../../dist/libs/dev-stack/index.js';

/** Followed by the id of the owning process and six random characters. */
export const stackPrefix = 'session-ledger-test-';

/** Stops the servers and removes their data; a server that does not stop fails the run, after the removal. */
export async function removeStack({ directory, servers }) {
  const stopped = await Promise.allSettled(servers.map((server) => server.stop()));
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  const failed = stopped.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}

/** A run that was killed with -9 left its servers behind: stop them, once its process is gone. */
export async function removeLeftovers(log) {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(stackPrefix) ? Number.parseInt(name.slice(stackPrefix.length), 10) : 0;
    if (!(pid > 0) || isAlive(pid)) continue;
    const directory = join(tmpdir(), name);
    await Promise.all([
      stopLeftoverPostgres(join(directory, 'postgres'), log),
      stopLeftoverKafka(join(directory, 'kafka'), log),
    ]);
    await rm(directory, { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
