import { mkdir, writeFile } from 'node:fs/promises';
import { type Profiler, Session } from 'node:inspector/promises';
import { join } from 'node:path';

let files = 0;

/** Takes a CPU profile of this process while `work` runs, for Chrome's or an editor's viewer. */
export async function profiled<T>(directory: string, name: string, work: () => Promise<T>): Promise<T> {
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    const done = await work();
    const { profile }: { profile: Profiler.Profile } = await session.post('Profiler.stop');
    await mkdir(directory, { recursive: true });
    const file = `${name.replaceAll(' ', '-')}.${++files}.cpuprofile`;
    await writeFile(join(directory, file), JSON.stringify(profile));
    return done;
  } finally {
    session.disconnect();
  }
}
