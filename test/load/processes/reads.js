// Reads what is current, at a steady pace, and looks at the replica's health: node reads.js <url> <users> <ms>
import { quantile, rest, say, send } from './requests.js';

const [url, users, ms] = process.argv.slice(2);
const READERS = 16;
const PAUSE_MS = 20;
const until = performance.now() + Number(ms);
const reads = [];
const health = [];

async function read() {
  while (performance.now() < until) {
    const userId = `user-${Math.floor(Math.random() * Number(users))}`;
    reads.push(await send(`${url}/v1/current?userId=${userId}`));
    await rest(PAUSE_MS);
  }
}
async function look() {
  while (performance.now() < until) {
    health.push(await send(`${url}/health/ready`));
    await rest(100);
  }
}

await Promise.all([...Array.from({ length: READERS }, read), look()]);
const summary = (answers) => {
  const sorted = answers.map((one) => one.ms).sort((one, other) => one - other);
  const failed = answers.filter(({ status }) => status !== 200).length;
  return { count: answers.length, failed, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
};
say({ reads: summary(reads), health: summary(health) });
process.exit();
