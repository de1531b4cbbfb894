// The long tests: first those that may run side by side, then those that may not. Arguments are jest's; a path of one half
// leaves the other out.
import { spawnSync } from 'node:child_process';

const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
const [, , ...asked] = process.argv;
const lists = (config) =>
  spawnSync(process.execPath, [...jest, '-c', config, '--listTests', ...asked], { encoding: 'utf8' }).stdout;
const run = (config) =>
  spawnSync(process.execPath, [...jest, '-c', config, ...asked], { stdio: 'inherit' }).status;

const all = ['test/soak.config.js', 'test/alone.config.js'];
const meant = asked.length === 0 ? all : all.filter((config) => lists(config).trim() !== '');
if (meant.length === 0) console.error('No long test has such a path.');
const failed = meant.filter((config) => run(config) !== 0);
process.exitCode = meant.length > 0 && failed.length === 0 ? 0 : 1;
