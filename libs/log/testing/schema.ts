import type pg from 'pg';

/**
 * The schema as it is in the database, for people to read: one line a column, attribute of a type, constraint, index,
 * trigger, function and grant. Time partitions of receipts are left out, since their names change daily.
 */
export async function describeSchema(pool: pg.Pool): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query("set search_path = ''"); // so that all names are written in full
    const sections: string[] = [];
    for (const { title, query, inOrder } of sources) {
      const lines = (await client.query<{ line: string }>(query)).rows.map(({ line }) => line);
      // Sorted here, so that the server's language does not matter.
      sections.push(`# ${title}\n${(inOrder ? lines : lines.sort()).join('\n')}\n`);
    }
    return sections.join('\n');
  } finally {
    client.release(true);
  }
}

const TABLES = `
  pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'ledger'
   and c.relname !~ '^receipts_([0-9]{8}|default$)'`;

const sources: { title: string; query: string; inOrder?: true }[] = [
  {
    title: 'tables',
    query: `
      select format('%s%s%s', c.relname,
               case c.relkind when 'p' then ' partition by ' || pg_get_partkeydef(c.oid) end,
               ' (' || array_to_string(c.reloptions, ', ') || ')') as line
        from ${TABLES} and c.relkind in ('r', 'p')`,
  },
  {
    title: 'columns, as they lie in a row',
    inOrder: true,
    query: `
      select format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
               case when a.attnotnull then ' not null' end,
               ' default ' || pg_get_expr(d.adbin, d.adrelid)) as line
        from ${TABLES} and c.relkind in ('r', 'p')
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
       order by c.relname collate "C", a.attnum`,
  },
  {
    title: 'types, attribute by attribute',
    inOrder: true,
    query: `
      select format('%s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) as line
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       where c.relnamespace = 'ledger'::regnamespace and c.relkind = 'c'
       order by c.relname collate "C", a.attnum`,
  },
  {
    title: 'constraints',
    query: `
      select format('%s: %s', c.relname, pg_get_constraintdef(k.oid)) as line
        from ${TABLES} join pg_constraint k on k.conrelid = c.oid and k.contype <> 'n'`,
  },
  {
    title: 'indexes',
    query: `
      select pg_get_indexdef(i.indexrelid) as line
        from ${TABLES} join pg_index i on i.indrelid = c.oid`,
  },
  {
    title: 'triggers',
    query: `
      select pg_get_triggerdef(t.oid) as line
        from ${TABLES} join pg_trigger t on t.tgrelid = c.oid and not t.tgisinternal`,
  },
  {
    title: 'functions',
    query: `
      select format('%s(%s) returns %s%s%s', p.proname, pg_get_function_arguments(p.oid),
               pg_get_function_result(p.oid), case when p.prosecdef then ' security definer' end,
               ' set ' || array_to_string(p.proconfig, ', ')) as line
        from pg_proc p where p.pronamespace = 'ledger'::regnamespace`,
  },
  {
    title: 'grants to the roles and to everybody, on the schema, its tables, their columns and its functions',
    query: `
      with granted (what, acl) as (
        select 'schema ' || nspname, nspacl from pg_namespace where nspname = 'ledger'
        union all select 'table ' || c.relname, c.relacl from ${TABLES} and c.relkind in ('r', 'p')
        union all select format('column %s.%s', c.relname, a.attname), a.attacl
                    from ${TABLES} join pg_attribute a on a.attrelid = c.oid and a.attacl is not null
        union all select 'function ' || proname, coalesce(proacl, acldefault('f', proowner))
                    from pg_proc where pronamespace = 'ledger'::regnamespace)
      select format('%s to %s: %s', what,
               case a.grantee when 0 then 'everybody' else regexp_replace(a.grantee::regrole::text, '_[0-9a-f]{8}$', '_<id>') end,
               string_agg(lower(a.privilege_type), ', ' order by a.privilege_type collate "C")) as line
        from granted, aclexplode(acl) as a
       where a.grantee = 0
          or a.grantee::regrole::text ~ '^session_ledger(_archivist)?(_[0-9a-f]{8})?$'
       group by what, a.grantee`,
  },
];
