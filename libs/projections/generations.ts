import type pg from 'pg';
import { ints, query, rowOf } from '#postgres';
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
  await query(client, lockGenerations);
  await retire(client, 'building');
  const { generation } = rowOf(await query(client, addGeneration));
  await query(client, addPositions, [generation]);
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
  const { rows } = await query(client, readStanding, [generation]);
  if (rows.length === 0) throw new Error(TAKEN_OVER);
  return rows;
}

/**
 * Stops the live generation where it stands, for as long as the caller's transaction lasts: readers go on, and its
 * projector passes by. Returns those positions by partition.
 */
export async function freezeLive(client: pg.ClientBase): Promise<Map<number, number>> {
  await client.query('begin');
  await query(client, lockGenerations);
  const { rows } = await query(client, freezePositions);
  return new Map(rows.map(({ partition, sequence }) => [partition, sequence]));
}

/** Makes a generation the live one, and commits. Throws when it is not being built any more. */
export async function swapTo(client: pg.ClientBase, generation: number): Promise<void> {
  await retire(client, 'live');
  const { rowCount } = await query(client, swapGeneration, [generation]);
  if (!rowCount) throw new Error(TAKEN_OVER);
  await client.query('commit');
}

/** Removes the rows of generations that nobody reads, a page at a time. */
export async function dropRetired(client: pg.ClientBase): Promise<void> {
  const { rows: retired } = await query(client, findRetired);
  for (const { generation, partition } of retired) {
    for (const drop of [dropSessions, dropTransitions, dropUsage]) {
      while ((await query(client, drop, [partition, generation, DROP_PAGE])).rowCount);
    }
  }
  const gone = ints([...new Set(retired.map(({ generation }) => generation))]);
  await query(client, dropGeneration, [gone]);
}

/** Its positions go at once, so that nobody projects into it any more. */
async function retire(client: pg.ClientBase, state: 'live' | 'building'): Promise<void> {
  await query(client, dropPositions, [state]);
  await query(client, retireGenerations, [state]);
}
