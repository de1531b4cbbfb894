-- The next scopes of a partition, whatever their state, so that one look is short however few match; `latest`
-- only of current sessions of the tenant ($4) whose owner matches. Locks nothing, and goes by the primary key.
select looked.scope_id,
       case when not looked.ended and starts_with(looked.scope_key, $4)
             and looked.latest::json -> 'owner' ->> 'environment' = $5
             and ($6::text is null or looked.latest::json -> 'owner' ->> 'instance' = $6)
            then looked.latest end as latest
  from (select scope_id, scope_key, ended, latest
          from ledger.scopes
         where partition = $1 and scope_id > $2
         order by scope_id
         limit $3) as looked
 order by looked.scope_id
