// Reads a snapshot at a pace: node slow-snapshot.js <url> <bytes a second>
import { connect } from 'node:net';
import { rest, say } from './requests.js';

const [url, pace] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const socket = connect(Number(port), hostname);
socket.write(`GET /v1/snapshot HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`);
let bytes = 0;
let end = '';
const began = performance.now();
try {
  for await (const chunk of socket) {
    bytes += chunk.length;
    end = (end + chunk.toString('latin1')).slice(-100);
    await rest((bytes / Number(pace)) * 1_000 - (performance.now() - began));
  }
} catch {
  // it was cut: what came says so
}
say({ bytes, whole: end.includes('{"complete":true}'), seconds: (performance.now() - began) / 1_000 });
process.exit();
