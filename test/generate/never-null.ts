/**
 * What a statement computes and is never NULL, by statement: a count, what COALESCE falls back on, what an inner join was
 * made by. Postgres tells so only of a table's own columns.
 */
export const NEVER_NULL: Readonly<Record<string, readonly string[]>> = {
  drop_reports: ['dropped'],
  find_behind_archives: ['partition', 'after'],
  find_handles: ['session'],
  find_projected_sessions: ['session_id'],
  find_projected_transitions: ['session_id', 'came'],
  find_projected_usage: ['of_id', 'currency', 'sequence'],
  find_sessions: ['session'],
  find_unawaited_standbys: ['unawaited'],
  has_migrations: ['present'],
  is_ahead: ['ahead'],
  is_before: ['before'],
  load_ancestors: ['session_id', 'final'],
  load_called_handles: ['digest', 'scope_id', 'partition', 'session_id', 'idle', 'invalid'],
  load_checkpoints: ['label', 'count'],
  load_details: ['scope_id'],
  load_handle_salts: ['scope_id'],
  load_handles: ['scope_id', 'partition', 'idle', 'invalid'],
  load_ignored_stops: ['stop_id', 'transaction'],
  load_oldest_handles: ['scope_id', 'size'],
  load_receipts: ['key', 'fingerprint', 'text'],
  load_sessions: ['session_id', 'scope_id'],
  lock_archiver: ['locked'],
  lock_due: ['over', 'now'],
  lock_heads: ['at', 'now'],
  look_at_heads: ['restores', 'access_version'],
  probe_writes: ['read_only'],
  read_archives: ['newest'],
  read_archivable: ['archived', 'frontier'],
  read_current: ['number', 'detailed'],
  read_cutoff: ['cutoff'],
  read_ends: ['partition'],
  read_feed: ['text'],
  read_leased: ['detailed'],
  read_log: ['at'],
  read_named_usage: [
    ...['of_id', 'currency', 'sequence', 'operations', 'input_tokens', 'output_tokens'],
    ...['cached_tokens', 'duration_ms', 'cost'],
  ],
  read_out_of_sync: ['known', 'since', 'reported_at'],
  read_projected_up_to: ['sequence'],
  read_reservations: ['number', 'until'],
  read_schema_version: ['version'],
  read_scope_events: ['partition', 'sequence', 'version', 'text'],
  read_segment: ['text'],
  read_session: ['session'],
  read_snapshot: ['detailed'],
  read_sync: ['in_sync', 'out_of_sync', 'unknown'],
  read_unprojected: ['text'],
  read_user_sessions: ['detailed'],
  renew_leases: ['until'],
  save_reports: ['new'],
  read_version: ['now'],
};

/** Of statements that Postgres can describe only while a cursor is open. */
export const UNDESCRIBED: Readonly<Record<string, string>> = {
  fetch_projected_rows:
    '{ row: { id: string; came: boolean | null; currency: string | null; sequence: number }; values: [] }',
};
