import { isDeepStrictEqual } from 'node:util';
import { foldTransitions, type PlacedTold } from '#session';
import { versionKey } from '../ids.js';

export interface StoredSession {
  session_id: string;
  scope_id: string;
  sequence: number;
  parent_id: string | null;
  version_key: string | null;
  attributes_digest: string | null;
  session: string;
}

export interface StoredTransition {
  session_id: string;
  scope_id: string;
  sequence: number;
  came: boolean;
  transition: string;
}

/** Whether a row is just what the event says that it names; not when there is none. */
export function isSession(row: StoredSession, told: PlacedTold | undefined): boolean {
  const session = told?.sessions.find(({ sessionId }) => sessionId === row.session_id);
  if (!session || !isScope(row, told)) return false;
  const { parentId = null, versionId, attributesDigest = null } = session;
  const said = [row.session, row.parent_id, row.version_key?.replaceAll('-', ''), row.attributes_digest];
  const key = versionId === undefined ? undefined : versionKey(versionId);
  return isDeepStrictEqual(said, [JSON.stringify(session), parentId, key, attributesDigest]);
}

/** The same of a transition. */
export function isTransition(row: StoredTransition, told: PlacedTold | undefined): boolean {
  const folded = told && [...foldTransitions([told]).values()][0];
  return (
    folded?.sessionId === row.session_id &&
    folded.came === row.came &&
    isScope(row, told) &&
    JSON.stringify(folded.transition) === row.transition
  );
}

function isScope({ scope_id }: { scope_id: string }, told: PlacedTold | undefined): boolean {
  return scope_id.replaceAll('-', '') === told?.scopeId;
}
