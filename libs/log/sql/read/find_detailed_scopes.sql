-- A page of the scopes of a user that have details, of any of their sessions, or handles. Ids from $1 to $2 begin with the
-- user's hash; $3 tells the user from others with the same one. Reads only.
select s.partition, s.scope_key
  from ledger.heads h
 cross join lateral (
         select s.partition, s.scope_key
           from ledger.scopes s
          where s.partition = h.partition and s.scope_id between $1::uuid and $2::uuid
            and starts_with(s.scope_key, $3)
            and (exists (select from ledger.details d where d.scope_id = s.scope_id)
                 or exists (select from ledger.handle_salts h
                             where h.partition = s.partition and h.scope_id = s.scope_id))
          limit $4) s
 limit $4
