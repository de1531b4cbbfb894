-- Each ledger works as roles of its own, so that whoever may work in one ledger of a server may do nothing in another.
-- Migrations go on to grant to `session_ledger` and `session_ledger_archivist`, names that the ledgers of a server share.
-- After them, in the same transaction, this hands each such right in the schema to `session_ledger_<8 of the ledger's
-- id>` and `session_ledger_archivist_<the same 8>`, and takes it from the shared role.
create function ledger.take_roles() returns void language plpgsql set search_path = '' as $$
declare
  suffix text := (select '_' || pg_catalog.left(id::text, 8) from ledger.ledger);
  shared text;
  own text;
  one record;
begin
  foreach shared in array array['session_ledger', 'session_ledger_archivist'] loop
    own := shared || suffix;
    if not exists (select from pg_catalog.pg_roles where rolname = own) then
      execute pg_catalog.format('create role %I nologin', own);
      -- An older version's logins go on: those that were let into this database by name, and whoever migrates. Where
      -- everybody of the server may connect, a login of the shared role may as well be another ledger's.
      for one in
        select m.rolname as login
          from pg_catalog.pg_auth_members a
          join pg_catalog.pg_roles r on r.oid = a.roleid and r.rolname = shared
          join pg_catalog.pg_roles m on m.oid = a.member
          join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
         where m.rolcanlogin and m.rolname <> current_user
           and exists (select from pg_catalog.aclexplode(d.datacl) c
                        where c.grantee = m.oid and c.privilege_type = 'CONNECT')
      loop
        execute pg_catalog.format('grant %I to %I', own, one.login);
      end loop;
    end if;
    -- Before 16 every member may take the role, and no right is called so.
    if not pg_catalog.pg_has_role(current_user, own,
        case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) then
      execute pg_catalog.format('grant %I to %I', own, current_user);
    end if;
    for one in
      with granted (what, part, acl) as (
        select 'schema ledger', '', nspacl from pg_catalog.pg_namespace where nspname = 'ledger'
        union all
        select case relkind when 'S' then 'sequence ' else 'table ' end || oid::pg_catalog.regclass, '', relacl
          from pg_catalog.pg_class where relnamespace = 'ledger'::pg_catalog.regnamespace
        union all
        select 'table ' || c.oid::pg_catalog.regclass, ' (' || pg_catalog.quote_ident(a.attname) || ')', a.attacl
          from pg_catalog.pg_class c
          join pg_catalog.pg_attribute a on a.attrelid = c.oid and not a.attisdropped
         where c.relnamespace = 'ledger'::pg_catalog.regnamespace
        union all
        select 'function ' || oid::pg_catalog.regprocedure, '', proacl
          from pg_catalog.pg_proc where pronamespace = 'ledger'::pg_catalog.regnamespace)
      select g.what, pg_catalog.string_agg(a.privilege_type || g.part, ', ') as rights
        from granted g, pg_catalog.aclexplode(g.acl) a
        join pg_catalog.pg_roles r on r.oid = a.grantee and r.rolname = shared
       group by g.what
    loop
      execute pg_catalog.format('grant %s on %s to %I', one.rights, one.what, own);
      execute pg_catalog.format('revoke %s on %s from %I', one.rights, one.what, shared);
    end loop;
  end loop;
end $$;
revoke all on function ledger.take_roles() from public;

-- Removing events, and tiles to make them anew, is for this ledger's archivist.
create or replace function ledger.refuse_removal() returns trigger language plpgsql set search_path = '' as $$
begin
  if current_user <> 'session_ledger_archivist_' || (select pg_catalog.left(id::text, 8) from ledger.ledger) then
    raise exception '% can only be inserted', tg_table_name using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
