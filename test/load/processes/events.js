// Has things happen in one scope: node events.js <url> <user> <events a second> <ms>. Two events a command.
import { rest, send } from './requests.js';

const [url, userId, pace, ms] = process.argv.slice(2);
const began = performance.now();
for (let sent = 0; performance.now() - began < Number(ms); sent += 2) {
  await send(`${url}/v1/sessions`, { userId, owner: { environment: 'cloud-dev', instance: 'load' } });
  await rest((sent / Number(pace)) * 1_000 - (performance.now() - began));
}
process.exit();
