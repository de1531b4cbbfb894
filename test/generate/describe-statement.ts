import type pg from 'pg';

/** What Postgres says of a statement without running it. */
export interface Described {
  /** The names of the parameters' types. */
  parameters: string[];
  columns: Column[];
}

export interface Column {
  name: string;
  /** Its type's name. */
  type: string;
  /** The table whose column it is, or empty. */
  table: string;
  /** That column is NOT NULL. */
  isNotNull: boolean;
}

interface FieldDescription {
  name: string;
  tableID: number;
  columnID: number;
  dataTypeID: number;
}

/** Parses a statement, and asks for its columns: what node-postgres calls as one query. */
class Describing implements pg.Submittable {
  #fields: readonly FieldDescription[] = [];

  constructor(
    private readonly name: string,
    private readonly text: string,
    private readonly done: (error: Error | undefined, fields: readonly FieldDescription[]) => void,
  ) {}

  submit(connection: pg.Connection): void {
    connection.parse({ name: this.name, text: this.text, types: [] }, true);
    connection.describe({ type: 'S', name: this.name }, true);
    connection.sync();
  }

  handleRowDescription({ fields }: { fields: readonly FieldDescription[] }): void {
    this.#fields = fields;
  }

  handleError(error: Error): void {
    this.done(error, []);
  }

  handleReadyForQuery(): void {
    this.done(undefined, this.#fields);
  }
}

/** Of texts with several statements, the last one: those before it set what it needs. */
export async function describeStatement(pool: pg.Pool, text: string): Promise<Described> {
  const client = await pool.connect();
  try {
    const last =
      text
        .replace(/--.*$/gm, '')
        .split(';')
        .findLast((one) => one.trim() !== '') ?? text;
    const fields = await new Promise<readonly FieldDescription[]>((resolve, reject) => {
      client.query(new Describing('described', last, (error, all) => (error ? reject(error) : resolve(all))));
    });
    const { rows } = await client.query<{ types: string[] }>(
      "select parameter_types::text[] as types from pg_prepared_statements where name = 'described'",
    );
    return { parameters: rows[0]?.types ?? [], columns: await columnsOf(client, fields) };
  } finally {
    client.release(true);
  }
}

async function columnsOf(client: pg.ClientBase, fields: readonly FieldDescription[]): Promise<Column[]> {
  const { rows } = await client.query<{ type: string; table: string | null; not_null: boolean | null }>(
    `select format_type(f.type::oid, null) as type, c.relname as table, a.attnotnull as not_null
       from unnest($1::bigint[], $2::bigint[], $3::int[]) with ordinality as f (type, class, attribute, number)
       left join pg_class c on c.oid = f.class
       left join pg_attribute a on a.attrelid = c.oid and a.attnum = f.attribute
      order by f.number`,
    [
      fields.map((field) => field.dataTypeID),
      fields.map((field) => field.tableID),
      fields.map((field) => field.columnID),
    ],
  );
  return rows.map(({ type, table, not_null }, at) => ({
    name: fields[at]?.name ?? '',
    type,
    table: table ?? '',
    isNotNull: not_null ?? false,
  }));
}
