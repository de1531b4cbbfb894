-- A scope's session at a position or at a time, and its last event up to then.
select future, until, sequence, convert_from(bytes, 'UTF8') as text from ledger.session_as_of($1, $2, $3, $4)
