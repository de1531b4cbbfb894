import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { finished } from 'node:stream';
import { text } from 'node:stream/consumers';

/** Runs a program to its end, with `input` to read. Throws with the last line of what it complained about. */
export async function runOnce(
  program: string,
  args: string[],
  { cwd, uid, gid, timeout }: Pick<SpawnOptions, 'cwd' | 'uid' | 'gid' | 'timeout'>,
  input = '',
): Promise<void> {
  const child = spawn(program, args, { cwd, uid, gid, timeout, stdio: ['pipe', 'ignore', 'pipe'] });
  finished(child.stdin, () => {}); // one that ends before it has read all says why on stderr
  const said = text(child.stderr);
  child.stdin.end(input);
  const [code, signal] = await once(child, 'close');
  if (code !== 0)
    throw new Error((await said).trim().split('\n').at(-1) || `it ended with ${code ?? signal}`);
}
