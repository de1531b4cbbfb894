import { createRequire } from 'node:module';

/** The service's version, as its description tells it. */
export const version: string = createRequire(import.meta.url)('#package.json').version;
