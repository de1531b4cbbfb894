-- The key that hashes handles may be in a file instead, so that neither the database nor a dump of it has it. The check is
-- an HMAC-SHA256 of the ledger's id by that key: it tells whether a file holds the right one, and nothing else.
alter table ledger.ledger
  alter column handle_key drop not null,
  add column handle_key_check bytea check (octet_length(handle_key_check) = 32),
  add constraint handle_key_in_one_place check (num_nonnulls(handle_key, handle_key_check) = 1);
