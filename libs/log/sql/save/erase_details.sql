-- Forgets the details of scopes, bodies and salts. Runs before the batch's own details are written, which came
-- after. Needs no lock of its own: only writers that hold the head insert or delete details.
delete from ledger.details d
 using unnest($1::smallint[], $2::uuid[]) as gone (partition, scope_id)
 where d.partition = gone.partition and d.scope_id = gone.scope_id
