import type { TSchema } from 'typebox';
import type { Operation } from '#api/schemas';

/** Random numbers that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** What requests are made of besides their schemas: by the name of a member, the values to choose from. */
export type Values = Record<string, readonly unknown[]>;

interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
  minItems?: number;
  minimum?: number;
  maximum?: number;
  properties?: Record<string, Schema>;
  required?: string[];
}

/** Makes requests for any operation out of its schemas: a new operation is asked for by itself. */
export class RandomRequests {
  constructor(
    private readonly random: () => number,
    private readonly values: Values,
    /** A text that nothing else says. */
    private readonly text: () => string,
  ) {}

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.random() * from.length)] as T;
  }

  /** The path with its query, and the body. */
  of({ path, params, query, body }: Operation): { path: string; body: unknown } {
    const named = this.valueOf(params, '') as Record<string, unknown> | undefined;
    const filled = path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(String(named?.[name])));
    const asked = Object.entries((this.valueOf(query, '') ?? {}) as Record<string, unknown>);
    const search = new URLSearchParams(asked.map(([name, value]): [string, string] => [name, String(value)]));
    return { path: asked.length > 0 ? `${filled}?${search}` : filled, body: this.valueOf(body, '') };
  }

  private valueOf(given: TSchema | Schema | undefined, name: string): unknown {
    if (given === undefined) return undefined;
    const schema = given as Schema;
    const known = this.values[name];
    if (known && known.length > 0) return this.pick(known);
    if ('const' in schema) return schema.const;
    if (schema.enum) return this.pick(schema.enum);
    if (schema.anyOf) return this.valueOf(this.pick(schema.anyOf), name);
    switch (schema.type) {
      case 'object':
        return this.objectOf(schema);
      case 'array':
        return Array.from({ length: Math.max(schema.minItems ?? 0, 1 + Math.floor(this.random() * 2)) }, () =>
          this.valueOf(schema.items, `${name}[]`),
        );
      case 'boolean':
        return this.random() < 0.5;
      case 'integer':
      case 'number':
        return Math.min(schema.maximum ?? 5, (schema.minimum ?? 0) + Math.floor(this.random() * 5));
      default:
        return this.text();
    }
  }

  private objectOf({ properties = {}, required = [] }: Schema): Record<string, unknown> {
    const members = Object.entries(properties).filter(
      ([name]) => required.includes(name) || this.random() < 0.35,
    );
    return Object.fromEntries(members.map(([name, schema]) => [name, this.valueOf(schema, name)]));
  }
}
