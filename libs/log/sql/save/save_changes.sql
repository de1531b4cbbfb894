-- What a batch changes of scopes that had a session before, and of sessions that have ended: their last state.
with changed_sessions as (
  update ledger.sessions s
     set successor_id = n.successor_id, final = n.final
    from unnest($2::ledger.session_row[]) n
   where s.partition = n.partition and s.session_id = n.session_id
)
update ledger.scopes s
   set version = n.version, revision = n.revision, ended = n.ended, attributes_digest = n.attributes_digest,
       session_id = n.session_id, latest = n.latest
  from unnest($1::ledger.scope_row[]) n
 where s.partition = n.partition and s.scope_id = n.scope_id
