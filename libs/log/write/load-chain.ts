import type pg from 'pg';
import type { Submission } from '#api';
import { type Bound, type RowOf, send, smallints, texts, uuids } from '#postgres';
import { MOST_STEPS_BACK, type Session, type SessionId } from '#session';
import { scopeIdOf } from '../ids.js';
import { statement } from '../statements.js';
import { sessionHandlesQuery } from './handles/handle-queries.js';
import { checkpointKey, type Loaded } from './loaded.js';

const loadAncestors = statement('load_ancestors');
const loadCheckpoints = statement('load_checkpoints');

/** What a recovery may go back to. Only for those who report a session invalid for good. */
export function ancestorsQuery(batch: readonly Submission[]): Bound<RowOf<typeof loadAncestors>> | undefined {
  const named = new Map<SessionId, number>();
  for (const { command, partition } of batch) {
    if (command.type !== 'ReportInvalid' || command.certainty !== 'definite') continue;
    named.set(command.sessionId, partition);
  }
  if (named.size === 0) return undefined;
  return {
    ...loadAncestors,
    values: [smallints([...named.values()]), uuids([...named.keys()]), MOST_STEPS_BACK],
  };
}

/** A checkpoint that a command names: of its own scope, or of its session's. */
interface AskedCheckpoint {
  partition: number;
  label: string;
  scopeId?: string;
  sessionId?: SessionId;
}

/** Only for those who mark a checkpoint or start from one. */
export function checkpointsQuery(
  batch: readonly Submission[],
): Bound<RowOf<typeof loadCheckpoints>> | undefined {
  const asked: AskedCheckpoint[] = [];
  for (const { command, partition, scopeKey } of batch) {
    if (command.type === 'MarkCheckpoint') {
      const { sessionId, label } = command;
      asked.push({ partition, label, sessionId });
    } else if (command.type === 'StartSession' && command.fromCheckpoint !== undefined && scopeKey) {
      asked.push({ partition, label: command.fromCheckpoint, scopeId: scopeIdOf(scopeKey) });
    }
  }
  if (asked.length === 0) return undefined;
  const values = [
    smallints(asked, (one) => one.partition),
    uuids(asked, (one) => one.scopeId),
    uuids(asked, (one) => one.sessionId),
    texts(asked, (one) => one.label),
  ];
  return { ...loadCheckpoints, values };
}

/** Takes over what the queries above found, and reads who has the handles of the sessions that may be gone back to. */
export async function loadChains(
  client: pg.Client,
  loaded: Loaded,
  ancestors: readonly RowOf<typeof loadAncestors>[],
  checkpoints: readonly RowOf<typeof loadCheckpoints>[],
): Promise<void> {
  for (const { scope_key, label, count, session_id } of checkpoints) {
    loaded.checkpointCounts.set(scope_key, count);
    if (session_id) loaded.checkpoints.set(checkpointKey(scope_key, label), session_id);
  }
  // Also past sessions that the batch itself makes checkpoints of.
  const continued = [...loaded.sessions.values()].flatMap(({ scopeKey, final }) =>
    final ? [{ scopeKey, session: final }] : [],
  );
  for (const { scope_key, session_id, final } of [...ancestors, ...checkpoints]) {
    const session: Session | undefined = final ? JSON.parse(final) : loaded.scopes.get(scope_key)?.latest;
    if (session) continued.push({ scopeKey: scope_key, session });
    if (!final || !session_id || loaded.sessions.has(session_id)) continue;
    loaded.sessions.set(session_id, { scopeKey: scope_key, final: session as Session });
  }
  const query = sessionHandlesQuery(continued);
  if (!query) return;
  const [found] = await send(client, [query]);
  loaded.handles.learn(found);
}
