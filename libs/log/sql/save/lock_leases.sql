-- The rows of a batch of renewals, or of those that a batch of commands changes, in order, so that neither waits
-- for the other in a circle. A statement of its own: whether a lease is over has to be looked at after the
-- lock was got, because a lapse that holds the row may only have locked it.
select 1
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, session_id)
  join ledger.leases l using (partition, session_id)
 order by l.partition, l.session_id
   for update of l
