-- Outside names: which scope or session a handle means. Those of sessions equal the fold of the log; those of
-- scopes are routing and no history.

-- The one table across partitions, because a handle is unique per tenant. A row is changed only under the lock of
-- the head of its scope's partition; scope_id is null only within the transaction that reserves it.
create sequence ledger.handle_order;
create table ledger.handles (
  -- Grows with every binding: the oldest of a scope's is dropped first.
  bound      bigint not null default nextval('ledger.handle_order'),
  scope_id   uuid,
  -- Null: it means whatever is current in its scope.
  session_id uuid,
  partition  smallint,
  hash       text collate "C" primary key,
  kind       text
) with (fillfactor = 80);
create index handles_of_scope on ledger.handles (scope_id, bound) where session_id is null;

grant select, insert, update, delete on ledger.handles to session_ledger;
grant usage on sequence ledger.handle_order to session_ledger;
