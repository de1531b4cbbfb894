import { audit } from './audit.js';
import { bulk } from './bulk.js';
import { commands } from './commands.js';
import { erasure } from './erasure.js';
import { feed } from './feed.js';
import { history } from './history.js';
import { keys } from './keys.js';
import { leases } from './leases.js';
import { many } from './many.js';
import type { Operation } from './operation.js';
import { problemPages } from './problem.js';
import { reads } from './reads.js';
import { stats } from './stats.js';

/** As they stand together on the page of /docs. */
export const groups = {
  Commands: { ...commands, ...many },
  Leases: leases,
  'What is current': reads,
  History: history,
  'All events': feed,
  'Who holds what': stats,
  'Many sessions': { ...bulk, ...erasure },
  Proof: audit,
  Keys: keys,
  Problems: problemPages,
} as const;

/** Every operation of the API: their schemas validate requests, and describe them in /openapi.json. */
export const operations = {
  ...commands,
  ...many,
  ...leases,
  ...reads,
  ...history,
  ...feed,
  ...bulk,
  ...erasure,
  ...stats,
  ...audit,
  ...keys,
  ...problemPages,
} as const satisfies Record<string, Operation>;

export type OperationId = keyof typeof operations;
