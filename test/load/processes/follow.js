// Follows the feed from its beginning: node follow.js <url> <followers> <partitions>. Says what came once a second.
import { connect } from 'node:net';
import { say } from './requests.js';

const [url, followers, partitions] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const zeros = Array.from({ length: Number(partitions) }, () => '0').join('.');
let [bytes, ended] = [0, 0];

for (let count = 0; count < Number(followers); count++) {
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {}); // counted when it closes
  socket.on('close', () => ended++);
  socket.on('data', (chunk) => {
    bytes += chunk.length;
  });
  socket.write(`GET /v1/feed/stream?lastEventId=${zeros} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
}
setInterval(() => say({ bytes, ended }), 1_000);
