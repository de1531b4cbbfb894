// An archiver in a process of its own, to be killed: plain JavaScript, runs what was built.
//   node archiver-process.js <database URL> <directory> [<stage> <which>]
// Prints each step, and kills itself at the which-th (from 1) time of a stage; without one, prints how it ended.
import { archive } from '#archive';

const [url, to, stage, which = '1'] = process.argv.slice(2);
let times = 0;
const onProgress = (progress) => {
  console.log(`${progress.stage} ${progress.partition}`);
  if (progress.stage === stage && ++times === Number(which)) process.kill(process.pid, 'SIGKILL');
};
const limits = { leastAge: 0, segment: 40, chunk: 15 };
try {
  const summary = await archive({ url, to, olderThan: 0, withoutRelay: true, limits, onProgress });
  console.log(`done ${JSON.stringify(summary)}`);
} catch (error) {
  console.log(`failed ${error.code} ${error.message}`);
}
