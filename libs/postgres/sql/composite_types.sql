-- The composite types of a schema with their attributes in order, by name: their numbers differ between databases.
select t.typname as name, t.oid, a.attname as attribute, a.atttypid as type
  from pg_type t
  join pg_attribute a on a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped
  join pg_class c on c.oid = t.typrelid and c.relkind = 'c'
 where t.typnamespace = $1::text::regnamespace
 order by t.oid, a.attnum
