// What the processes of the load tests share. Plain JavaScript: each runs in a process of its own.
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 512 });

/** Sends one request and reads its answer; resolves with its status, 0 when there was none. */
export function send(address, body) {
  const began = performance.now();
  return new Promise((resolve) => {
    const done = (status) => resolve({ status, ms: performance.now() - began });
    const headers = body && { 'content-type': 'application/json' };
    const asked = request(address, { agent, headers, method: body ? 'POST' : 'GET' }, (answer) => {
      answer
        .resume()
        .once('end', () => done(answer.statusCode))
        .once('error', () => done(0));
    });
    asked.once('error', () => done(0)).setTimeout(20_000, () => asked.destroy());
    asked.end(body && JSON.stringify(body));
  });
}

export const startOf = (number) => ({
  userId: `user-${number}`,
  owner: { environment: 'cloud-dev', instance: 'load' },
});

/** Does something for each number below `count`, so many at a time. */
export async function each(count, atOnce, act) {
  let next = 0;
  const one = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

export const quantile = (sorted, part) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
export const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const say = (value) => console.log(JSON.stringify(value));
