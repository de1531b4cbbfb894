import { authorization, send } from './call';

const WAIT_MS = 20_000;

/** What the service answers, as it is written: for what is no JSON, and for JSON whose very bytes count. */
export async function readText(address: string, signal: AbortSignal): Promise<string> {
  const response = await send(address, {
    headers: authorization(),
    signal: AbortSignal.any([AbortSignal.timeout(WAIT_MS), signal]),
  });
  return response.text();
}
