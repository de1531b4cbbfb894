import type { Serving } from '../asked.js';
import { problemPage } from '../problems/problem-body.js';
import { audit } from './audit.js';
import { bulk } from './bulk.js';
import { commands } from './commands.js';
import { currentList } from './current-list.js';
import { erasure } from './erasure.js';
import { feed } from './feed.js';
import { history } from './history.js';
import { keys } from './keys.js';
import { leases } from './leases.js';
import { many } from './many.js';
import { reads } from './reads.js';
import { stats } from './stats.js';

/** How every operation is served. The compiler refuses one that is not here. */
export const serving: Serving = {
  ...commands,
  ...many,
  ...leases,
  ...reads,
  ...history,
  ...currentList,
  ...feed,
  ...bulk,
  ...erasure,
  ...stats,
  ...keys,
  ...audit,
  problem: ({ params: { code } }) => ({ body: problemPage(code) }),
};
