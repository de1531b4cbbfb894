-- Frees the handles of scopes, of their sessions, too, and forgets the salts that their names in events were made
-- with. Before the batch's own handles are written ($3: those that stay), which came after.
with gone as (
  select * from unnest($1::smallint[], $2::uuid[]) as gone (partition, scope_id)
), salts as (
  delete from ledger.handle_salts s using gone where s.partition = gone.partition and s.scope_id = gone.scope_id
), of_scopes as (
  delete from ledger.handles h using gone
   where h.scope_id = gone.scope_id and h.session_id is null and h.hash <> all($3::text[])
)
delete from ledger.handles h using gone
 where h.scope_id = gone.scope_id and h.session_id is not null and h.hash <> all($3::text[])
