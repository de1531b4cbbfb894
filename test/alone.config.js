// What nothing else may run beside: runs under faults, and what is measured. The second half of `npm run test:soak`.
import soak from './soak.config.js';

export default {
  ...soak,
  maxWorkers: 1,
  testMatch: ['<rootDir>/{apps,examples,libs,test}/**/*.alone.test.ts'],
};
