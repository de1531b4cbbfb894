// Runs one operation of a coding agent on a project. See README.md.
//   node main.js <user> <project> <operation> <prompt> -- <the agent's command>
// LEDGER_URL: http://127.0.0.1:4600 unless set; LEDGER_TOKEN or LEDGER_TOKEN_FILE: a key, where it wants one. Exit code 3: another operation was recorded meanwhile.
import { isProblem, LedgerClient } from '#client';
import { tokenFromEnvironment } from '#client/node';
import { AgentChain } from './chain.js';

const [userId, projectId, operation, prompt, , ...command] = process.argv.slice(2);
if (!userId || !projectId || !operation || prompt === undefined || command.length === 0) {
  console.error('Usage: main.js <user> <project> <operation> <prompt> -- <the command of the agent>');
  process.exit(2);
}

const ledger = new LedgerClient({
  url: process.env.LEDGER_URL ?? 'http://127.0.0.1:4600',
  token: tokenFromEnvironment(),
});
try {
  const { result, session } = await new AgentChain(ledger, { userId, projectId }, command).run(
    operation,
    prompt,
  );
  const { versionId, chainLength, resetAdvised = false } = session;
  console.log(JSON.stringify({ result, versionId, chainLength, resetAdvised }));
} catch (error) {
  const winner = isProblem(error, 'stale-session', 'stale-epoch') ? error.current : undefined;
  if (winner)
    console.error(`Overtaken by ${winner.reason} ${winner.versionId}: run it again to go on from there.`);
  else console.error(error instanceof Error ? error.message : error);
  process.exitCode = winner ? 3 : 1;
}
