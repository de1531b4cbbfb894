import type { Slice } from '../event-bytes.js';

/** Texts that travel to Postgres as one string, each known by its place in it. */
export class Texts {
  private readonly texts: string[] = [];
  private byteLength = 0;

  add(text: string): Slice {
    const start = this.byteLength;
    const length = Buffer.byteLength(text);
    this.texts.push(text);
    this.byteLength += length;
    return { start, length };
  }

  bytes(): Buffer {
    return Buffer.from(this.texts.join(''));
  }
}
