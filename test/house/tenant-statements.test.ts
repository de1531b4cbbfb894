import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Statements over what belongs to tenants either compare the tenant, or stand here, by why they need not. A new one
 * that does neither fails.
 */
const WITHOUT: Record<string, readonly string[]> = {
  'of one scope, by an id that is a hash of all of its key: what is current, which many tenants may ask for at once':
    ['read_current', 'read_leased'],
  'for audit alone, which is of all tenants': ['read_feed', 'read_snapshot'],
  'in the transaction of a writer, for many tenants; the batch compares the tenant of each command': [
    ...['load_ancestors', 'load_called_handles', 'load_checkpoints', 'load_detailed', 'load_details'],
    ...['load_handle_salts', 'load_handles', 'load_ignored_stops', 'load_oldest_handles'],
    ...[
      'load_scopes',
      'lock_due',
      'reserve_handles',
      'erase_details',
      'erase_handles',
      'find_event',
      'lock_leases',
    ],
    ...[
      'save_batch',
      'save_changes',
      'save_checkpoints',
      'save_details',
      'save_handle_salts',
      'save_handles',
    ],
    'save_ignored_stops',
  ],
  'the ledger looks after itself: no request reaches them': [
    ...[
      'find_due',
      'postpone_checks',
      'read_ends',
      'forget_jobs',
      'keep_job',
      'save_page',
      'save_step',
      'take_job',
    ],
    ...[
      'drop_projected_sessions',
      'find_wrongly_listed',
      'drop_projected_transitions',
      'drop_projected_usage',
      'read_unprojected',
    ],
    ...['save_projection', 'save_usage', 'find_projected_sessions', 'find_projected_transitions'],
    ...['find_projected_usage', 'hold_projected_rows', 'read_named_sessions', 'read_named_transitions'],
    ...['read_named_usage', 'find_first_event', 'is_before', 'read_log', 'read_segment', 'read_states'],
    ...['record_archive', 'remove_archived'],
  ],
  'by a key that is made of the tenant': ['find_job', 'save_reports', 'find_request'],
  'keys: what they are is what decides': ['note_use', 'read_keys', 'end_key'],
};

const OF_TENANTS =
  /\bledger\.(sessions|scopes|leases|handles|jobs|events|details|checkpoints|ignored_stops|reports|receipts|handle_salts|projected_\w+|keys)\b/;
// `current_of` compares the tenant that it is given.
const COMPARED =
  /starts_with\([\w.]*scope_key, |\btenant(_id)? = |\bscope_key = |ledger\.current_of\(\$1::text/;

const libs = fileURLToPath(new URL('../../libs', import.meta.url));
const statements = new Map(
  readdirSync(libs, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\/sql\/.*\.sql$/.test(file) && !file.includes('/migrations/'))
    .map((file) => [basename(file, '.sql'), readFileSync(join(libs, file), 'utf8').replaceAll(/--.*/g, '')]),
);
const needy = [...statements].filter(([, text]) => OF_TENANTS.test(text) && !COMPARED.test(text));

test("statements over tenants' rows compare the tenant, or say why they need not", () => {
  const listed = Object.values(WITHOUT).flat().sort();
  expect(needy.map(([name]) => name).sort()).toEqual(listed);
});

test.each([
  ...['read_session', 'find_sessions', 'find_handles', 'load_sessions', 'load_receipts', 'read_refusals'],
  'read_details',
])('%s, which asks by an id that a caller names, compares the tenant', (name) => {
  expect(statements.get(name)).toMatch(/starts_with\(\w+\.scope_key, /);
});
