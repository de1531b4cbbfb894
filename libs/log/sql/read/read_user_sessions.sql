-- A page of a user's current sessions after a scope of a partition ($4, $5), of all partitions. Ids from $1 to
-- $2 begin with the user's hash; $3 tells the user from others with the same one.
select s.*, s.attributes_digest is not null as detailed, d.body as attributes
  from ledger.heads h
 cross join lateral (
         select s.partition, s.scope_id, s.latest, s.attributes_digest
           from ledger.scopes s
          where s.partition = h.partition and s.scope_id between $1::uuid and $2::uuid
            and (s.partition, s.scope_id) > ($4::smallint, $5::uuid)
            and starts_with(s.scope_key, $3) and not s.ended
          order by s.scope_id
          limit $6) s
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
 where h.partition >= $4
 order by s.partition, s.scope_id
 limit $6
