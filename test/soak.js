// The long tests: first those that may run side by side, then those that may not. Arguments are jest's.
import { spawnSync } from 'node:child_process';

const jest = [
  '--experimental-vm-modules',
  '--no-warnings',
  'node_modules/jest/bin/jest.js',
  '--passWithNoTests',
];
const failed = ['test/soak.config.js', 'test/alone.config.js'].filter((config) => {
  const { status } = spawnSync(process.execPath, [...jest, '-c', config, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  return status !== 0;
});
process.exitCode = failed.length === 0 ? 0 : 1;
