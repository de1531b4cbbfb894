// Callers in a process of their own, so that they share no thread with what they load. Plain sockets: thousands of
// them cost little. Each sends its next request when it was answered; with `rate`, no sooner than its turn comes.
// Gets orders from its parent, see load.ts, and answers each with what its callers were told.
import { connect } from 'node:net';

const TOKEN_END = '\r\n\r\n';

process.on('message', async (order) => process.send(await load(order)));
process.on('disconnect', () => process.exit(0));

/** Lets callers call for `ms` milliseconds; those of the first `rampMs` do not count. */
async function load({
  ports,
  connections,
  ms,
  rampMs = 0,
  rate,
  groups,
  method = 'POST',
  path,
  headers = {},
}) {
  const told = groups.map(() => ({ times: {}, unadvised: 0, broken: 0 }));
  const from = performance.now() + rampMs;
  const until = from + ms;
  const head =
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n` +
    Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  const everyMs = rate ? (connections / rate) * 1_000 : 0;
  const caller = async (number) => {
    const group = number % groups.length;
    const mine = told[group];
    let turn = performance.now() + Math.random() * everyMs;
    let line;
    while (performance.now() < until) {
      if (everyMs > 0) {
        await pause(turn - performance.now());
        turn = Math.max(turn + everyMs, performance.now());
      }
      const body = bodyOf(groups[group], number);
      const request =
        body === undefined
          ? `${head}\r\n`
          : `${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
      const began = performance.now();
      try {
        line ??= await opened(ports[number % ports.length]);
        const { status, retryAfter, closes } = await line.ask(request);
        const took = performance.now() - began;
        if (closes) line = line.close();
        if (began >= from && began < until) {
          mine.times[status] ??= [];
          mine.times[status].push(took);
          if (status === 503 && retryAfter === undefined) mine.unadvised += 1;
        }
      } catch {
        line = line?.close();
        if (began >= from && began < until) mine.broken += 1;
        await pause(50);
      }
    }
    line?.close();
  };
  await Promise.all(Array.from({ length: connections }, (_, number) => caller(number)));
  return told;
}

function bodyOf({ body, users }) {
  if (!users) return body;
  return body.replace('USER', users[Math.floor(Math.random() * users.length)]);
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/** A connection that is asked one thing after the other. */
function opened(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let waiting;
    let text = '';
    const fail = (error) => {
      reject(error);
      waiting?.reject(error);
      waiting = undefined;
    };
    socket.on('error', fail).on('close', () => fail(new Error('closed')));
    socket.setTimeout(60_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const end = text.indexOf(TOKEN_END);
      if (end < 0 || !waiting) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + TOKEN_END.length + length) return;
      const head = text.slice(0, end);
      text = text.slice(end + TOKEN_END.length + length);
      const { resolve: answer } = waiting;
      waiting = undefined;
      answer({
        status: Number(head.slice(9, 12)),
        retryAfter: /\r\nretry-after: (\S+)/i.exec(head)?.[1],
        closes: /\r\nconnection: close/i.test(head),
      });
    });
    socket.on('connect', () =>
      resolve({
        ask(request) {
          return new Promise((answer, refuse) => {
            waiting = { resolve: answer, reject: refuse };
            socket.write(request);
          });
        },
        close() {
          socket.destroy();
        },
      }),
    );
  });
}
