import { availableParallelism } from 'node:os';

export default {
  testMatch: ['<rootDir>/{apps,examples,libs,test}/**/*.test.ts'],
  // Run by `npm run test:soak` (soak, alone) and `npm run test:load`.
  testPathIgnorePatterns: ['/node_modules/', '\\.(soak|alone|load)\\.test\\.ts$'],
  // Tests wait for servers a third of the time: one more than there are cores. jest takes no percentage over 100.
  maxWorkers: availableParallelism() + 1,
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/packages/'],
  // A room is imported as '#room', a file as './file.js': both are TypeScript here.
  moduleNameMapper: {
    '^#access/masking$': '<rootDir>/libs/access/masking.ts',
    '^#api/schemas$': '<rootDir>/libs/api/schemas/index.ts',
    '^#client/kafka$': '<rootDir>/libs/client/kafka-source.ts',
    '^#client/node$': '<rootDir>/libs/client/node.ts',
    '^#dev-stack/local-ledger$': '<rootDir>/libs/dev-stack/local-ledger.ts',
    '^#([a-z-]+)$': '<rootDir>/libs/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/stack/global-setup.js',
  globalTeardown: '<rootDir>/test/support/stack/global-teardown.js',
  testTimeout: 60_000,
  // Runs the tests in a process of their own, which is ended when it does not end by itself: a process that has
  // run many files through the ES module loader sometimes spins at its exit.
  workerIdleMemoryLimit: '1GB',
};
