import { isDeepStrictEqual } from 'node:util';
import { versionKey } from '#log';
import { addDecimals, foldTransitions, foldUsage, type PlacedTold } from '#session';
import type { Statements } from './generated/statements.js';

type Row<Name extends keyof Statements> = Statements[Name]['row'];

/** Whether a row is just what the event says that it names; not when there is none. */
export function isSession(row: Row<'read_named_sessions'>, told: PlacedTold | undefined): boolean {
  const session = told?.sessions.find(({ sessionId }) => sessionId === row.session_id);
  if (!session || !isScope(row, told)) return false;
  const { parentId = null, versionId, attributesDigest = null } = session;
  const said = [row.session, row.parent_id, row.version_key?.replaceAll('-', ''), row.attributes_digest];
  const key = versionId === undefined ? undefined : versionKey(versionId);
  return isDeepStrictEqual(said, [JSON.stringify(session), parentId, key, attributesDigest]);
}

/** The same of a transition. */
export function isTransition(row: Row<'read_named_transitions'>, told: PlacedTold | undefined): boolean {
  const folded = told && [...foldTransitions([told]).values()][0];
  return (
    folded?.sessionId === row.session_id &&
    folded.came === row.came &&
    isScope(row, told) &&
    JSON.stringify(folded.transition) === row.transition
  );
}

function isScope({ scope_id }: { scope_id: string }, told: PlacedTold | undefined): boolean {
  return hexOf(scope_id) === told?.scopeId;
}

/** A sum is right when it adds what its event reports to the sum before it, which is looked at by itself. */
export function isSum(row: Row<'read_named_usage'>, told: PlacedTold | undefined): boolean {
  const folded = told && foldUsage([told]).find(({ ofId }) => hexOf(ofId) === hexOf(row.of_id));
  if (!folded || folded.currency !== row.currency) return false;
  const { inputTokens = 0, outputTokens = 0, cachedTokens = 0, durationMs = 0, cost } = folded.usage;
  // What the row adds to the one before it, as decimals without needless zeros.
  const said = [1, inputTokens, outputTokens, cachedTokens, durationMs].map(String);
  const adds = [row.operations, row.input_tokens, row.output_tokens, row.cached_tokens, row.duration_ms];
  return isDeepStrictEqual([...adds, row.cost], [...said, addDecimals('0', cost?.amount ?? '0')]);
}

/** A UUID as Postgres or as the log writes it. */
export function hexOf(uuid: string): string {
  return uuid.replaceAll('-', '');
}
