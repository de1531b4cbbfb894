-- After a commit whose result is unknown, of a batch without events: what became of its transaction. The heads are locked
-- before, by a statement of its own, so it is over.
select pg_xact_status($1::xid8) as status
