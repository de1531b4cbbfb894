import type pg from 'pg';
import { type DatabaseOptions, openClient } from './database.js';
import { GivenUp } from './given-up.js';

/** A connection of one's own: opened when it is needed, and anew after it was lost. For one user at a time. */
export class Link<T> {
  /** What stands now; undefined while nothing does. */
  opened: T | undefined;
  private client: pg.Client | undefined;
  private readonly givenUp = new GivenUp(1);

  /** `prepare`: what to do with each new connection, and what to know it by. */
  constructor(
    private readonly database: DatabaseOptions,
    private readonly prepare: (client: pg.Client) => T | Promise<T>,
  ) {}

  /** Rejects with StillAtWork while Postgres works for a connection of before. */
  async open(): Promise<T> {
    if (this.opened) return this.opened;
    const client = await openClient(this.database);
    this.client = client;
    client.once('end', () => {
      this.givenUp.add(client);
      if (this.client === client) this.client = this.opened = undefined;
    });
    try {
      await this.givenUp.check(client);
      this.opened = await this.prepare(client);
      return this.opened;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Never rejects. The next `open` makes another one. */
  async close(): Promise<void> {
    const { client } = this;
    this.client = this.opened = undefined;
    await client?.end().catch(() => {}); // a lost connection is closed already
  }
}
