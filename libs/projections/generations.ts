import type pg from 'pg';
import { ints } from '#postgres';
import { statement } from './statements.js';

const addGeneration = statement('add_generation');
const addPositions = statement('add_positions');
const freezePositions = statement('freeze_positions');
const swapGeneration = statement('swap_generation');
const retireGenerations = statement('retire_generations');
const dropPositions = statement('drop_positions');
const findRetired = statement('find_retired');
const dropSessions = statement('drop_projected_sessions');
const dropTransitions = statement('drop_projected_transitions');
const dropUsage = statement('drop_projected_usage');
const dropGeneration = statement('drop_generation');
const readStanding = statement('read_standing');
const lockGenerations = statement('lock_generations');

export const TAKEN_OVER = 'another rebuild has taken over';

/** Rows that one statement removes, so that none runs long. */
const DROP_PAGE = 5_000;

/** A new generation at sequence 0 of every partition. One that was left half built is given up. */
export async function beginGeneration(client: pg.ClientBase): Promise<number> {
  await client.query('begin');
  await client.query(lockGenerations);
  await retire(client, 'building');
  const { rows } = await client.query(addGeneration);
  const { generation } = rows[0];
  await client.query({ ...addPositions, values: [generation] });
  await client.query('commit');
  return generation;
}

/** How far a generation has come in a partition, and the log. */
export interface Standing {
  partition: number;
  sequence: number;
  head: number;
}

/** Throws when the generation is gone: another rebuild has given it up. */
export async function standingOf(client: pg.ClientBase, generation: number): Promise<Standing[]> {
  const { rows } = await client.query({ ...readStanding, values: [generation] });
  if (rows.length === 0) throw new Error(TAKEN_OVER);
  return rows;
}

/**
 * Stops the live generation where it stands, for as long as the caller's transaction lasts: readers go on, and its
 * projector passes by. Returns those positions by partition.
 */
export async function freezeLive(client: pg.ClientBase): Promise<Map<number, number>> {
  await client.query('begin');
  await client.query(lockGenerations);
  const { rows } = await client.query(freezePositions);
  return new Map(rows.map(({ partition, sequence }) => [partition, sequence]));
}

/** Makes a generation the live one, and commits. Throws when it is not being built any more. */
export async function swapTo(client: pg.ClientBase, generation: number): Promise<void> {
  await retire(client, 'live');
  const { rowCount } = await client.query({ ...swapGeneration, values: [generation] });
  if (!rowCount) throw new Error(TAKEN_OVER);
  await client.query('commit');
}

/** Removes the rows of generations that nobody reads, a page at a time. */
export async function dropRetired(client: pg.ClientBase): Promise<void> {
  const { rows: retired } = await client.query(findRetired);
  for (const { generation, partition } of retired) {
    for (const drop of [dropSessions, dropTransitions, dropUsage]) {
      const values = [partition, generation, DROP_PAGE];
      while ((await client.query({ ...drop, values })).rowCount);
    }
  }
  const gone = ints([...new Set(retired.map(({ generation }) => generation))]);
  await client.query({ ...dropGeneration, values: [gone] });
}

/** Its positions go at once, so that nobody projects into it any more. */
async function retire(client: pg.ClientBase, state: 'live' | 'building'): Promise<void> {
  await client.query({ ...dropPositions, values: [state] });
  await client.query({ ...retireGenerations, values: [state] });
}
