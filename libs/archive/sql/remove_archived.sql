-- Deletes archived events, oldest first, at most as many as the caller has chosen. Locks these rows, which nobody
-- else wants; the triggers refuse what no archive has, and what is not the oldest.
delete from ledger.events where partition = $1 and sequence >= $2 and sequence <= $3
