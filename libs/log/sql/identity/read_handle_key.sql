-- The key that hashes handles, or, where a file has it, what it is known by. Locks nothing.
select handle_key, handle_key_check from ledger.ledger
