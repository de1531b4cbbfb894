// Starts sessions: node seed.js <url> <users> <times each> <bytes of attributes>
import { each, say, send, startOf } from './requests.js';

const [url, users, times, bytes] = process.argv.slice(2);
const attributes = bytes === '0' ? {} : { attributes: { text: 'x'.repeat(Number(bytes)) } };
const failed = [];
await each(Number(users) * Number(times), 128, async (number) => {
  const { status } = await send(`${url}/v1/sessions`, {
    ...startOf(number % Number(users)),
    ...attributes,
  });
  if (status !== 201) failed.push(status);
});
say({ done: true, failed });
process.exit();
