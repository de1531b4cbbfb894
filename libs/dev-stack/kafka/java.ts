import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

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
