// A parent to kill in tests: starts one server, says "up", and on Ctrl-C asks it a question before stopping it.
//   node run-stack.js postgres|kafka <data directory> <port>
import pg from 'pg';
import { startKafka, startPostgres } from '../../dist/libs/dev-stack/index.js';

const [what, dataDir, port] = process.argv.slice(2);
const start = what === 'postgres' ? startPostgres : startKafka;
const server = await start({ dataDir, port: Number(port), log: console.log });
process.on('SIGINT', async () => {
  const client = new pg.Client({ connectionString: server.url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  await client.end();
  console.log('answered after Ctrl-C');
  await server.stop();
  process.exit(0);
});
setInterval(() => undefined, 60_000); // the servers alone do not keep it alive
console.log('up');
