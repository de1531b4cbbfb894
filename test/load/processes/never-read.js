// Asks and never reads, and asks anew now and then: node never-read.js <url> <path> <connections>
import { connect } from 'node:net';

const [url, path, connections] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const AGAIN_MS = 6_000;
const { LEDGER_TOKEN: token } = process.env;
const asks = token ? `authorization: Bearer ${token}\r\n` : '';
let open = 0;

function ask() {
  const socket = connect(Number(port), hostname).pause();
  socket.on('error', () => {}); // being cut off is expected
  setTimeout(() => {
    socket.destroy();
    ask();
  }, AGAIN_MS);
  socket.once('connect', () => {
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}\r\n${asks}\r\n`);
    if (++open === Number(connections)) console.log('asked');
  });
}
for (let count = 0; count < Number(connections); count++) ask();
