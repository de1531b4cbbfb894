-- What a scope's handles are called in events: SHA-256(salt ‖ keyed hash). A scope has a salt from its first handle on,
-- until its details are erased; then nobody can tell any more which handle an event meant, whoever has the key. Mutable.
create table ledger.handle_salts (
  scope_id  uuid not null,
  partition smallint not null,
  salt      bytea not null,
  primary key (partition, scope_id)
);

-- How events call a handle that is bound to a session; and when a scope got one, to tell which one it was that went.
alter table ledger.handles add column digest text, add column bound_at timestamptz;
create index handles_of_sessions on ledger.handles (scope_id, digest) where session_id is not null;

-- Until now events called a handle by its keyed hash: of those scopes the salt is empty, and the hash stays as it is.
insert into ledger.handle_salts (partition, scope_id, salt)
select distinct partition, scope_id, ''::bytea from ledger.handles where scope_id is not null;
update ledger.handles set digest = hash where session_id is not null;

grant select, insert, delete on ledger.handle_salts to session_ledger;
