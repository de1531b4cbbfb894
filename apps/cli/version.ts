import { createRequire } from 'node:module';

/** The project's version. */
export const version: string = createRequire(import.meta.url)('#package.json').version;
