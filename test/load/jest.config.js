// What one reader, caller or lock may take from the others, each as a ratio within one run: `npm run test:load`.
// Nothing else may run beside it.
import shared from '../../jest.config.js';

export default {
  ...shared,
  maxWorkers: 1,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/load/**/*.load.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  reporters: ['default', '<rootDir>/test/load/table-reporter.js'],
};
