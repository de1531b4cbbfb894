import { ask } from './http.js';

/** A figure of /metrics, by its name with its labels; NaN when there is none. */
export async function metric(url: string, name: string): Promise<number> {
  const { text } = await ask(`${url}/metrics`);
  const line = text.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
}
