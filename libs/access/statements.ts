import { statementsIn } from '#postgres';

/** The statement in sql/ of this name. */
export const statement = statementsIn(new URL('./sql/', import.meta.url));
