// What takes long because of what it tests: runs under faults, starts from a copy of everything. `npm run test:soak`.
import shared from '../jest.config.js';

export default {
  ...shared,
  rootDir: '..',
  testMatch: ['<rootDir>/{apps,examples,libs,test}/**/*.soak.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
