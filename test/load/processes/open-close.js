// Opens streams of the feed and of scopes, and closes each as soon as it has begun: node open-close.js <url> <streams>
import { connect } from 'node:net';
import { each } from './requests.js';

const [url, streams] = process.argv.slice(2);
const { hostname, port } = new URL(url);
await each(Number(streams), 50, (number) => {
  const path = number % 2 ? '/v1/feed/stream' : `/v1/stream?userId=user-${number % 100}`;
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}); // it closes then
    socket.on('close', resolve);
    socket.on('data', () => (number % 3 ? socket.destroy() : socket.resetAndDestroy()));
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  });
});
process.exit();
