-- What a batch brings to a table, one row after the other: a whole array of them is one parameter. They are types of
-- their own, so that a table can get a column without the writers of the version before noticing.
create type ledger.event_row as (
  partition smallint, sequence bigint, version bigint, epoch bigint, at timestamptz, type text, scope_id uuid,
  scope_key text, bytes bytea
);
create type ledger.scope_row as (
  partition smallint, scope_id uuid, scope_key text, version bigint, revision bigint, ended boolean,
  attributes_digest text, session_id uuid, latest text
);
create type ledger.session_row as (
  partition smallint, session_id uuid, scope_id uuid, successor_id uuid, final text
);
create type ledger.receipt_row as (
  partition smallint, scope_id uuid, key uuid, fingerprint uuid, sequence bigint, at timestamptz
);
create type ledger.head_row as (partition smallint, sequence bigint, at timestamptz, frontier bytea);
