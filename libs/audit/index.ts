export { Frontier } from './frontier.js';
export { emptyRoot, leafHash, nodeHash } from './hash.js';
export { rootOf } from './root-of.js';
