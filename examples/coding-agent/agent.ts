import { spawn } from 'node:child_process';
import type { Operations } from '#client';

export type Usage = Operations['recordUsage']['body']['usage'];

/** What came of running the agent once. */
export type Outcome =
  /** It is done. `session`: the provider's id of the session that goes on from here. */
  | { kind: 'done'; session: string; result: string; usage?: Usage }
  /** The provider does not know the session that was to be resumed, and never will. */
  | { kind: 'invalid' }
  /** It may work when it is tried again. */
  | { kind: 'transient' }
  | { kind: 'failed'; why: string };

const TIMEOUT_MS = 30 * 60_000;
const MOST_OUTPUT = 4 << 20;
const INVALID = /invalid session id|no conversation found/i;
const TRANSIENT = /overloaded|rate limit|timed? ?out|ECONNRESET/i;

/** Runs `<command> <operation> [--resume <id>]` with the prompt as its input. Its output is one JSON object. */
export async function runAgent(
  [program = '', ...args]: readonly string[],
  { operation, prompt, resume }: { operation: string; prompt: string; resume?: string | undefined },
): Promise<Outcome> {
  const child = spawn(program, [...args, operation, ...(resume === undefined ? [] : ['--resume', resume])], {
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      if (output[name].length > MOST_OUTPUT) child.kill('SIGKILL');
    });
  }
  child.stdin.on('error', () => {}).end(prompt); // an agent need not read it to its end
  const ended = await new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(code === 0 ? 'well' : `it ended with ${code ?? signal}`));
  });
  return ended === 'well' ? parsed(output.stdout) : failure(output.stderr, ended);
}

function parsed(output: string): Outcome {
  try {
    const { session_id, result, usage } = JSON.parse(output);
    if (typeof session_id === 'string') return { kind: 'done', session: session_id, result, usage };
  } catch {
    // as if it had named no session
  }
  return { kind: 'failed', why: 'its output names no session' };
}

function failure(errors: string, ended: string): Outcome {
  if (INVALID.test(errors)) return { kind: 'invalid' };
  if (TRANSIENT.test(errors)) return { kind: 'transient' };
  return { kind: 'failed', why: `${ended}: ${errors.trim().slice(-500)}` };
}
