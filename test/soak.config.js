// What takes long because of what it tests, and what nothing else may run beside: runs under faults, starts from a copy of
// everything, the cost of a renewal. `npm run test:soak`.
import shared from '../jest.config.js';

export default {
  ...shared,
  maxWorkers: 1,
  rootDir: '..',
  testMatch: ['<rootDir>/{apps,examples,libs,test}/**/*.soak.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
