import {
  type Command,
  decide,
  noSessionYet,
  type Owner,
  type ScopeKey,
  type SessionEvent,
  scopeKey,
} from '#session';
import { encodeEvent } from '../event-bytes.js';
import { scopeIdOf } from '../ids.js';
import { knownFrom, nothingYet, type Story, tell } from './story.js';

export interface RecordedEvent {
  scopeId: string;
  sequence: number;
  event: SessionEvent;
  bytes: Buffer;
}

const SCOPES = 500;
const owners: Owner[] = [{ environment: 'cloud-dev' }, { environment: 'cloud-debug', instance: 'Zürich 🚲' }];
const START = Date.parse('2026-01-01T00:00:00.000Z');

/** The log of one partition, made by the decider from commands that a seed stands for: always the same. */
export function recordedLog(length: number, seed: number): RecordedEvent[] {
  const random = randomNumbers(seed);
  const scopes = Array.from({ length: SCOPES }, (_, user) => newScope(user));
  const log: RecordedEvent[] = [];
  for (let n = 0; log.length < length; n++) {
    const scope = scopes[random(SCOPES)]!;
    const at = new Date(START + n * 250).toISOString();
    const command = commandFor(scope, random, at);
    const { story, key, scopeId } = scope;
    const commandId = `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    for (const event of decide(command, knownFrom(story, command)).events) {
      if (log.length === length) break;
      tell(story, event);
      const sequence = log.length + 1;
      const envelope = { partition: 0, sequence, source: '/ledgers/recorded', scopeKey: key, at };
      const { pieces } = encodeEvent({ ...envelope, version: story.state.version, commandId }, event);
      log.push({ scopeId, sequence, event, bytes: Buffer.from(pieces.join('')) });
    }
    // Only the latest are named again; a story would grow without end.
    if (story.events.length > 50) scope.story = { ...nothingYet(), state: story.state };
    const { latest } = scope.story.state;
    if (latest) scope.story.sessions.set(latest.sessionId, latest);
  }
  return log;
}

type Random = (below: number) => number;
interface RecordedScope {
  userId: string;
  key: ScopeKey;
  scopeId: string;
  story: Story;
}

function newScope(user: number): RecordedScope {
  const key = scopeKey({ tenant: 'acme', userId: `user ${user}`, projectId: 'site' });
  return { userId: `user ${user}`, key, scopeId: scopeIdOf(key), story: nothingYet() };
}

function commandFor({ story, userId }: RecordedScope, random: Random, at: string): Command {
  const issued = { at, principal: 'one', operate: false };
  const owner = owners[random(2)]!;
  const { latest } = story.state ?? noSessionYet;
  const kind = random(10);
  if (!latest || latest.status === 'ended' || kind === 0) {
    const scope = { tenant: 'acme', userId, projectId: 'site' };
    return { type: 'StartSession', ...issued, scope, sessionId: id(random), owner, onConflict: 'supersede' };
  }
  // Now and then about one that was current before.
  const { sessionId } = random(8) === 0 ? [...story.sessions.values()][0]! : latest;
  const named = { ...issued, sessionId, epoch: latest.epoch - (random(8) === 0 ? 1 : 0) };
  const to = { to: owner, reservedSeconds: 60 };
  switch (kind) {
    case 1:
      return { type: 'EndSession', ...named, origin: owner, reason: 'done' };
    case 2:
      return { type: 'ReleaseOwnership', ...named, ...(random(2) && to) };
    case 3:
      return { type: 'ChangeAttributes', ...named, attributesDigest: `digest-${random(100)}` };
    case 4:
    case 5:
      return { type: 'ClaimOwnership', ...named, owner };
    default: {
      const version = random(3) === 0 && { versionId: `v${random(1_000)}` };
      return { type: 'RotateSession', ...named, successorId: id(random), reason: 'build', ...version };
    }
  }
}

function id(random: Random): string {
  const hex = Array.from({ length: 8 }, () => random(65_536).toString(16).padStart(4, '0'));
  return `${hex[0]}${hex[1]}-${hex[2]}-7000-8${hex[4]!.slice(1)}-${hex[5]}${hex[6]}${hex[7]}`;
}

/** Numbers from 0 to below a bound, the same on every machine (mulberry32). */
function randomNumbers(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
