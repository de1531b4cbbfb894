import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DevStackError } from '../errors.js';

/** The oldest Java that Kafka 4 runs on. */
const oldest = 17;

/** The `java` program, of JAVA_HOME when that is set, else of PATH; undefined when it is none or too old. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const java = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  try {
    const { stderr } = await promisify(execFile)(java, ['-version'], { env, timeout: 15_000 });
    const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0); // Java 8 says "1.8": too old as well
    return major >= oldest ? java : undefined;
  } catch {
    return undefined; // not there, or the stub of macOS that only says where to get one
  }
}

/** Java's own arguments: a small heap, and a start that is quick rather than a peak that is high. */
export function javaArguments(classPath: string, directory: string): string[] {
  return [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${join(directory, 'log4j2.properties')}`,
    ...['-cp', classPath],
  ];
}

/** Writes the cluster's id into an empty log directory; does nothing where there is one. Throws a DevStackError. */
export async function formatStorage(
  java: string,
  classPath: string,
  directory: string,
  more: readonly string[] = [],
): Promise<void> {
  const formatted = await access(join(directory, 'logs', 'meta.properties')).then(
    () => true,
    () => false,
  );
  if (formatted) return;
  // With '=': an id may begin with '-', which would be read as an option.
  const id = `--cluster-id=${randomBytes(16).toString('base64url')}`;
  const config = ['--config', join(directory, 'server.properties')];
  const args = [
    ...javaArguments(classPath, directory),
    'kafka.tools.StorageTool',
    'format',
    id,
    ...config,
    ...more,
  ];
  try {
    await promisify(execFile)(java, args, { timeout: 60_000 });
  } catch (cause) {
    const said = ((cause as { stderr?: string }).stderr || (cause as Error).message)
      .trim()
      .split('\n')
      .at(-1);
    throw new DevStackError(`Kafka: cannot prepare ${directory}: ${said}`, { cause });
  }
}
