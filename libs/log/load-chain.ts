import type pg from 'pg';
import { MOST_STEPS_BACK, type ScopeKey, type SessionId } from '#session';
import { scopeIdOf } from './ids.js';
import { list, listOf, statement } from './statements.js';
import type { Submission } from './submission.js';

const loadAncestors = statement('load_ancestors');
const loadCheckpoints = statement('load_checkpoints');

/** What a recovery may go back to. Only for those who report a session invalid for good. */
export function ancestorsQuery(batch: readonly Submission[]): pg.QueryConfig | undefined {
  const named = new Map<SessionId, number>();
  for (const { command, partition } of batch) {
    if (command.type !== 'ReportInvalid' || command.certainty !== 'definite') continue;
    named.set(command.sessionId, partition);
  }
  if (named.size === 0) return undefined;
  return { ...loadAncestors, values: [listOf(named.values()), listOf(named.keys()), MOST_STEPS_BACK] };
}

/** A checkpoint that a command names: of its own scope, or of its session's. */
interface Asked {
  partition: number;
  label: string;
  scopeId?: string;
  sessionId?: SessionId;
}

/** Only for those who mark a checkpoint or start from one. */
export function checkpointsQuery(batch: readonly Submission[]): pg.QueryConfig | undefined {
  const asked: Asked[] = [];
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
    list(asked, (one) => one.partition),
    list(asked, (one) => one.scopeId),
    list(asked, (one) => one.sessionId),
    asked.map((one) => one.label), // free text: the client quotes it
  ];
  return { ...loadCheckpoints, values };
}

/** What `Loaded.checkpoints` knows a checkpoint by. */
export function checkpointKey(scopeKey: ScopeKey, label: string): string {
  return `${scopeKey} ${label}`;
}
