#!/usr/bin/env node
import { complain, exitCodeOf } from './exit.js';
import { program } from './program.js';

// Whoever reads our output may stop reading: `session-ledger history ada | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

try {
  await (await program(process.argv[2])).parseAsync();
} catch (error) {
  await complain(error);
  process.exitCode = exitCodeOf(error);
}
