// A rebuild of the read models in a process of its own, to be killed: plain JavaScript, runs what was built.
//   node rebuild-process.js <database URL>
// Prints `<stage> <events>` as it goes on, and `done`.
import { roleOf } from '#log';
import { rebuild } from '#projections';

const url = process.argv[2];
const database = { url, role: await roleOf({ url }, 'service') };
await rebuild({ database, onProgress: ({ stage, events }) => console.log(`${stage} ${events}`) });
console.log('done');
