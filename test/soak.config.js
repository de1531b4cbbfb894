// What takes long because of what it tests: real time-outs, starts from a copy of everything, many programs one after the
// other. `npm run test:soak` runs these, then those of test/alone.config.js.
import shared from '../jest.config.js';

export default {
  ...shared,
  maxWorkers: '100%',
  rootDir: '..',
  testMatch: ['<rootDir>/{apps,examples,libs,test}/**/*.soak.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
