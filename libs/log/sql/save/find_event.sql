-- After a commit whose result is unknown: the bytes that now stand where the batch wanted its first event.
-- The heads are locked before, by a statement of its own, so the batch's transaction is over.
select bytes from ledger.events where partition = $1 and sequence = $2
