import type pg from 'pg';
import { typeParser } from './database.js';
import type { RowOf, Statement } from './statements.js';

/** A parameter: a Buffer in Postgres' binary form, anything else as text. */
export type Value = Buffer | string | number | null | undefined;

/** A statement with what it asks or writes. */
export interface Bound<Row = unknown> extends Statement<Row> {
  values?: readonly Value[];
}

/** What Postgres answers to a statement; `command` is what it did, in one word. */
export interface PacketAnswer<Row = unknown> {
  command: string;
  rows: Row[];
}

type Answers<Statements> = {
  -readonly [At in keyof Statements]: undefined extends Statements[At]
    ? PacketAnswer<RowOf<NonNullable<Statements[At]>>> | undefined
    : PacketAnswer<RowOf<Statements[At]>>;
};

export const begin: Bound<never> = { name: 'begin', text: 'begin' };
export const commit: Bound<never> = { name: 'commit', text: 'commit' };
export const rollback: Bound<never> = { name: 'rollback', text: 'rollback' };

/**
 * Sends statements in one packet and gets their answers in another: they run in order, and after one that fails no
 * further one does. Rejects with what Postgres says of that one, or with what became of the connection. Undefined
 * stands for a statement that is not needed; so does its answer.
 *
 * With node-postgres' own queries each statement has an answer of its own, and its columns are described each time: a
 * sixth more CPU for a lone command (docs/decisions/0002-pipelined-transactions.md).
 */
export function send<const Statements extends readonly (Bound | undefined)[]>(
  client: pg.ClientBase,
  statements: Statements,
): Promise<Answers<Statements>> {
  const needed = statements.filter((statement) => statement !== undefined);
  return new Promise((resolve, reject) => {
    const packet = new Packet(needed, (error, answers) => {
      if (error) {
        // No answer came in time, or the connection is lost: nobody else shall wait for it.
        if (!('severity' in error)) (client as pg.Client).connection.stream.destroy();
        return reject(error);
      }
      let next = 0;
      resolve(statements.map((statement) => statement && answers?.[next++]) as Answers<Statements>);
    });
    client.query(packet);
  });
}

/** Sends one statement on any connection of a pool. */
export async function sendOn<Row>(pool: pg.Pool, statement: Bound<Row>): Promise<PacketAnswer<Row>> {
  const client = await pool.connect();
  let failed = true;
  try {
    const [answer] = await send(client, [statement]);
    failed = false;
    return answer;
  } finally {
    client.release(failed); // whether it is of further use is not worth finding out
  }
}

/** What is said to Postgres: the part of node-postgres' connection that its extensions use, too. */
interface Wire {
  stream: { cork(): void; uncork(): void };
  /** Texts by the names that they are prepared under. */
  parsedStatements: Record<string, string>;
  parse(statement: Statement): void;
  describe(what: { type: 'S'; name: string }): void;
  bind(what: { statement: string; values: readonly (Buffer | string | null)[] }): void;
  execute(what: { portal: string }): void;
  sync(): void;
}

/** The columns of a prepared statement's rows. They stay as they are: Postgres refuses it when they would change. */
class Columns {
  readonly #names: string[];
  readonly #parsers: ((text: string) => unknown)[];

  constructor(fields: readonly pg.FieldDef[] = []) {
    this.#names = fields.map(({ name }) => name);
    this.#parsers = fields.map(({ dataTypeID }) => typeParser(dataTypeID));
  }

  row(texts: readonly (string | null)[]): Record<string, unknown> {
    const row: Record<string, unknown> = {};
    for (let at = 0; at < texts.length; at++) {
      const text = texts[at] as string | null;
      row[this.#names[at]!] = text === null ? null : this.#parsers[at]!(text);
    }
    return row;
  }
}

/** By connection, and by the statement's name. */
const described = new WeakMap<Wire, Map<string, Columns>>();

/** What node-postgres sends and hears as one query: it calls these methods. */
class Packet implements pg.Submittable {
  readonly #statements: readonly Bound[];
  readonly #answers: PacketAnswer[] = [];
  #columns = new Map<string, Columns>();
  #rows: unknown[] = [];
  /** node-postgres puts its time-out around it. */
  callback: (error: Error | null, answers?: readonly PacketAnswer[]) => void;

  constructor(statements: readonly Bound[], callback: Packet['callback']) {
    this.#statements = statements;
    this.callback = callback;
  }

  submit(connection: pg.Connection): null {
    const wire = connection as unknown as Wire;
    this.#columns = described.get(wire) ?? this.#columns;
    described.set(wire, this.#columns);
    wire.stream.cork();
    const preparing = new Set<string>();
    for (const { name, text, values = [] } of this.#statements) {
      if (wire.parsedStatements[name] === undefined && !preparing.has(name)) wire.parse({ name, text });
      if (!this.#columns.has(name)) wire.describe({ type: 'S', name });
      preparing.add(name);
      wire.bind({ statement: name, values: values.map(onTheWire) });
      wire.execute({ portal: '' });
    }
    wire.sync();
    wire.stream.uncork();
    return null;
  }

  handleRowDescription({ fields }: { fields: readonly pg.FieldDef[] }): void {
    this.#columns.set(this.name, new Columns(fields));
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    this.#rows.push(this.#columns.get(this.name)?.row(fields));
  }

  handleCommandComplete({ text }: { text: string }): void {
    if (!this.#columns.has(this.name)) this.#columns.set(this.name, new Columns());
    this.#answers.push({ command: text.split(' ', 1)[0] as string, rows: this.#rows });
    this.#rows = [];
  }

  handleReadyForQuery(): void {
    this.callback(null, this.#answers);
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  /** Of the statement that is being answered; node-postgres keeps it as prepared once Postgres says so. */
  get name(): string {
    return this.#statements[this.#answers.length]?.name ?? '';
  }

  get text(): string {
    return this.#statements[this.#answers.length]?.text ?? '';
  }
}

function onTheWire(value: Value): Buffer | string | null {
  return typeof value === 'number' ? String(value) : (value ?? null);
}
