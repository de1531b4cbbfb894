// Watches one scope: node watch.js <url> <user> <watchers>. Says `open`, and at SIGTERM how late the last watcher of each
// event was, by the event's own time, and how many watchers were lost.
import { connect } from 'node:net';
import { quantile, rest, say } from './requests.js';

const [url, userId, watchers] = process.argv.slice(2);
const { hostname, port } = new URL(url);
/** By the event's time. */
const events = new Map();
let [open, lost] = [0, 0];

function watch() {
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let tail = '';
    let isOpen = false;
    socket.on('error', () => {}); // counted when it closes
    socket.on('close', () => {
      lost += 1;
      resolve();
    });
    socket.on('data', (chunk) => {
      const text = tail + chunk.toString('latin1');
      if (!isOpen && text.includes('retry: ')) {
        isOpen = true;
        open += 1;
        resolve();
      }
      const now = Date.now();
      let at = 0;
      for (let found = text.indexOf('"time":"'); found >= 0 && found + 40 < text.length; ) {
        const time = text.slice(found + 8, found + 32);
        const event = events.get(time) ?? { count: 0, last: 0 };
        event.count += 1;
        event.last = now;
        events.set(time, event);
        at = found + 40;
        found = text.indexOf('"time":"', at);
      }
      tail = text.slice(Math.max(at, text.length - 60));
    });
    socket.write(`GET /v1/stream?userId=${userId} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  });
}

for (let count = 0; count < Number(watchers); count += 50) {
  await Promise.all(Array.from({ length: 50 }, watch));
  await rest(5);
}
console.log(`open ${open}`);
process.on('SIGTERM', () => {
  const late = [...events]
    .map(([time, { last }]) => last - Date.parse(time))
    .sort((one, other) => one - other);
  const short = [...events.values()].filter(({ count }) => count < Number(watchers)).length;
  say({ events: events.size, short, lost, p50: quantile(late, 0.5), worst: late.at(-1) ?? 0 });
  process.exit();
});
