import { send } from './call';

/** What the service answers, as it is written: for what is no JSON, and for JSON whose very bytes count. */
export async function readText(address: string, signal: AbortSignal): Promise<string> {
  return (await send(address, { signal })).text();
}
