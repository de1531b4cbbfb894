// The checker alone. It brings its own Postgres and Kafka, so it needs none of those that all other tests share.
import shared from '../../jest.config.js';

const { globalSetup: _, globalTeardown: __, ...rest } = shared;

export default {
  ...rest,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/checker/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
};
