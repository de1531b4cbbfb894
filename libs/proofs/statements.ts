import { statementsIn } from '#postgres';
import type { Statements } from './generated/statements.js';

/** The statement in sql/ of this name. */
export const statement = statementsIn<Statements>(new URL('./sql/', import.meta.url));
