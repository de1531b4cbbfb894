-- Writes what every decided batch brings in one statement; the heads of its partitions are locked. A scope or a
-- session that stands here is new. What few batches bring has statements of its own: a part of this one costs each
-- batch, also where it has no rows.
with
new_events as (
  insert into ledger.events (partition, sequence, version, epoch, at, type, scope_id, scope_key, bytes)
  select partition, sequence, version, epoch, at, type, scope_id, scope_key, bytes
    from unnest($1::ledger.event_row[])
),
new_scopes as (
  insert into ledger.scopes (partition, scope_id, scope_key, version, revision, ended, attributes_digest, session_id, latest)
  select partition, scope_id, scope_key, version, revision, ended, attributes_digest, session_id, latest
    from unnest($2::ledger.scope_row[])
),
new_sessions as (
  insert into ledger.sessions (partition, session_id, scope_id, successor_id, final)
  select partition, session_id, scope_id, successor_id, final
    from unnest($3::ledger.session_row[])
),
new_receipts as (
  insert into ledger.receipts (partition, scope_id, key, fingerprint, sequence, at)
  select partition, scope_id, key, fingerprint, sequence, at
    from unnest($4::ledger.receipt_row[])
)
update ledger.heads h
   set sequence = n.sequence, at = n.at, frontier = n.frontier
  from unnest($5::ledger.head_row[]) n
 where h.partition = n.partition
