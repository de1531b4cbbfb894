-- All current sessions of a tenant: to be listed, filtered and counted however long the history is.

-- Read model: one row for each session that has not ended, with what lists are filtered and sorted by; the session itself
-- stands in projected_sessions. `tenant` is as in scope keys. No owner: it is released.
create table ledger.projected_current (
  started_at    timestamptz not null,
  session_id    uuid not null,
  generation    int not null,
  partition     smallint not null,
  reset_advised boolean not null,
  status        text not null,
  tenant        text not null,
  project_id    text not null,
  environment   text,
  instance      text,
  primary key (partition, generation, session_id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
-- Nothing in it changes while a session is current, so that a change of its owner or its status is a HOT update.
create index projected_current_by_start on ledger.projected_current (tenant, generation, started_at, session_id);
grant select, insert, update, delete on ledger.projected_current to session_ledger;

-- Keeps it as projected_sessions is, in the same statement. A trigger, because a replica of an older version, which knows
-- nothing of this table, projects as well while versions change. Once a statement, whose rows are looked at together.
create function ledger.list_current() returns trigger language plpgsql as $$
begin
  delete from ledger.projected_current c
   using changed n
   where c.partition = n.partition and c.generation = n.generation and c.session_id = n.session_id
     and position('"status":"ended"' in n.session) > 0;
  insert into ledger.projected_current
         (started_at, session_id, generation, partition, reset_advised, status, tenant, project_id, environment, instance)
  select (told ->> 'startedAt')::timestamptz, n.session_id, n.generation, n.partition, told -> 'resetAdvised' is not null,
         told ->> 'status', split_part(s.scope_key, '/', 1), told -> 'scope' ->> 'projectId',
         told -> 'owner' ->> 'environment', told -> 'owner' ->> 'instance'
    from changed n
    join ledger.scopes s on s.partition = n.partition and s.scope_id = n.scope_id
   cross join lateral (select n.session::json as told) as read
   where position('"status":"ended"' in n.session) = 0
      on conflict (partition, generation, session_id) do update
     set status = excluded.status, environment = excluded.environment, instance = excluded.instance,
         reset_advised = excluded.reset_advised;
  return null;
end $$;
create trigger began_to_be_current after insert on ledger.projected_sessions
  referencing new table as changed for each statement execute function ledger.list_current();
create trigger went_on_to_be_current after update on ledger.projected_sessions
  referencing new table as changed for each statement execute function ledger.list_current();

create function ledger.unlist_current() returns trigger language plpgsql as $$
begin
  delete from ledger.projected_current c
   using dropped n
   where c.partition = n.partition and c.generation = n.generation and c.session_id = n.session_id;
  return null;
end $$;
create trigger went_with_its_generation after delete on ledger.projected_sessions
  referencing old table as dropped for each statement execute function ledger.unlist_current();

-- Those that there are. What is current by now and not projected yet comes with its projection, and what is projected as
-- current by now and is not goes with its own.
insert into ledger.projected_current
       (started_at, session_id, generation, partition, reset_advised, status, tenant, project_id, environment, instance)
select (told ->> 'startedAt')::timestamptz, p.session_id, p.generation, p.partition, told -> 'resetAdvised' is not null,
       told ->> 'status', split_part(s.scope_key, '/', 1), told -> 'scope' ->> 'projectId',
       told -> 'owner' ->> 'environment', told -> 'owner' ->> 'instance'
  from ledger.scopes s
  join ledger.projected_sessions p
    on p.partition = s.partition and p.session_id = (s.latest::json ->> 'sessionId')::uuid
 cross join lateral (select p.session::json as told) as read
 where not s.ended;

-- Those of a tenant that match; NULL: any. Written once for every order that they are listed in: Postgres makes it part
-- of the query that asks. A lease is over when lease_end (002) says so; asked for each of them, that would read its one
-- row as often.
create function ledger.current_of(of_tenant text, of_environment text, of_instance text, of_status text, of_project text,
  started_before timestamptz, lease_before timestamptz, advised boolean) returns setof ledger.projected_current
  language sql stable as $$
select c.*
  from ledger.projected_current c
 where c.tenant = of_tenant
   and c.generation = (select g.generation from ledger.projection_generations g where g.state = 'live')
   and (of_environment is null or c.environment = of_environment)
   and (of_instance is null or c.instance = of_instance)
   and (of_status is null or c.status = of_status)
   and (of_project is null or c.project_id = of_project)
   and (started_before is null or c.started_at < started_before)
   and (advised is null or c.reset_advised = advised)
   and (lease_before is null or exists (
         select from ledger.leases l
          where l.partition = c.partition and l.session_id = c.session_id and l.renewable and l.until < lease_before
            and (select r.resumed_at from ledger.reaper r) + make_interval(secs => least(l.seconds, 60)) < lease_before))
$$;

-- Sessions by the version of a project that they were made with, whatever their scopes. Their ids rise with time.
create index projected_sessions_by_version on ledger.projected_sessions (version_key, generation, session_id)
  where version_key is not null;
