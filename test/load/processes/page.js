// Reads the feed in pages from its beginning, again and again: node page.js <url> <followers> <partitions>. Says what came
// once a second.
import { Agent, get } from 'node:http';
import { say } from './requests.js';

const [url, followers, partitions] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(followers) });
let [bytes, ended] = [0, 0];

/** How many bytes a page had; 0 when it was refused. */
function page(partition, after) {
  return new Promise((resolve) => {
    get(`${url}/v1/feed?partition=${partition}&after=${after}&limit=500`, { agent }, (answer) => {
      let size = 0;
      answer.on('data', (chunk) => {
        size += chunk.length;
      });
      answer.once('end', () => resolve(answer.statusCode === 200 ? size : 0));
    }).once('error', () => resolve(0));
  });
}

async function follow() {
  for (let partition = 0; ; partition = (partition + 1) % Number(partitions)) {
    for (let after = 0; ; after += 500) {
      const size = await page(partition, after);
      if (size === 0) ended += 1;
      bytes += size;
      if (size < 100_000) break; // the last one, or nearly
    }
  }
}

for (let count = 0; count < Number(followers); count++) follow();
setInterval(() => say({ bytes, ended }), 1_000);
