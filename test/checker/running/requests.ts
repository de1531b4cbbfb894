import { scopeKey as keyOf, type Owner, partitionOf, type ScopeKey } from '#session';
import { type Asked, type CommandKind, PLAIN } from '../operation.js';
import type { Heard, Memory } from './memory.js';
import type { Random } from './random.js';

/** How often each request is made, in parts of the whole. */
const WEIGHTS = {
  supersede: 9,
  reject: 4,
  join: 6,
  plain: 4,
  rotate: 8,
  release: 7,
  claim: 8,
  end: 8,
  stop: 14,
  attributes: 8,
  renew: 4,
  current: 12,
  session: 6,
  snapshot: 1,
  feed: 3,
};

export interface Place {
  userId: string;
  projectId: string;
  scopeKey: ScopeKey;
  partition: number;
}

const ENVIRONMENTS = ['cloud-dev', 'cloud-debug', 'cloud-live'] as const;

/** Scopes for all clients: few, so that their commands meet. */
export function placesOf(users: number, partitions: number): Place[] {
  return Array.from({ length: users }, (_, user) => {
    const scope = { tenant: 'default', userId: `user-${user >> 1}`, projectId: `project-${user & 1}` };
    const scopeKey = keyOf(scope);
    return { ...scope, scopeKey, partition: partitionOf(scopeKey, partitions) };
  });
}

/** Makes the requests of one client, out of what has been heard and the client's own seed. */
export class Requests {
  private made = 0;

  constructor(
    private readonly client: string,
    private readonly random: Random,
    private readonly places: readonly Place[],
    private readonly memory: Memory,
  ) {}

  next(): Asked {
    const { random } = this;
    const place = random.pick(this.places);
    const kind = random.weighted(WEIGHTS);
    const marker = `${this.client}-${this.made++}`;
    const base = { marker, partition: place.partition, scopeKey: place.scopeKey };
    const query = `userId=${place.userId}&projectId=${place.projectId}`;
    if (kind === 'current') return { ...base, kind, method: 'GET', path: `/v1/current?${query}` };
    if (kind === 'snapshot') return { kind, method: 'GET', path: '/v1/snapshot', marker };
    if (kind === 'feed') return this.feed(marker, place.partition);
    const heard = this.memory.of(place.scopeKey);
    const meant = kind === 'stop' || random.chance(0.12) ? random.pick([undefined, ...heard]) : heard.at(-1);
    if (!meant || kind === 'supersede' || kind === 'reject' || kind === 'join')
      return { ...base, ...this.start(meant ? kind : 'supersede', place, marker, meant) };
    if (kind === 'session') {
      return {
        ...base,
        kind,
        method: 'GET',
        path: `/v1/sessions/${meant.sessionId}`,
        sessionId: meant.sessionId,
      };
    }
    const command = this.forSession(kind, meant, marker);
    return { ...base, ...command, sessionId: meant.sessionId };
  }

  private feed(marker: string, partition: number): Asked {
    const after = this.random.integer(0, 40) * 20;
    const path = `/v1/feed?partition=${partition}&after=${after}&limit=50`;
    return { kind: 'feed', method: 'GET', path, marker, partition };
  }

  private start(onConflict: string, place: Place, marker: string, meant: Heard | undefined): Begun {
    const { random } = this;
    const { userId, projectId } = place;
    const body: Record<string, unknown> = { userId, projectId, owner: this.owner(marker), onConflict };
    if (random.chance(0.6)) body.attributes = { marker, note: 'kept beside the log' };
    if (random.chance(0.25)) body.phase = 'starting';
    if (random.chance(0.1) && meant) body.expectedEpoch = meant.epoch;
    if (random.chance(0.2)) {
      body.lease = {
        seconds: random.integer(2, 5),
        graceSeconds: random.integer(0, 2),
        renewOn: random.pick(['heartbeat', 'use']),
        onLapse: random.pick(['release', 'end']),
      };
    }
    return { kind: 'start', method: 'POST', path: '/v1/sessions', body, ...this.keyed(marker, 0.7) };
  }

  private forSession(kind: string, meant: Heard, marker: string): Begun {
    const { random } = this;
    const epoch = this.epochOf(meant);
    const of = (name: CommandKind, body: object, keyed = 0.7): Begun => ({
      kind: name,
      method: name === 'attributes' ? 'PATCH' : 'POST',
      path: `/v1/sessions/${meant.sessionId}/${name}`,
      body: { epoch, ...body },
      ...this.keyed(marker, name === 'renew' ? 0 : keyed),
    });
    switch (kind) {
      case 'plain':
        return of(random.pick(PLAIN), {}, 1); // nothing in it could show the marker
      case 'rotate':
        return of('rotate', { reason: random.pick(['build', 'compact', 'reset']), versionId: marker });
      case 'release':
        return of('release', { to: this.owner(marker), reservedSeconds: 1 });
      case 'claim':
        return of('claim', { owner: this.owner(marker) });
      case 'attributes':
        return of('attributes', { attributes: { marker } });
      case 'renew':
        return of('renew', {});
      default: {
        // A late stop comes from one of few origins, so that the same one comes again and again.
        const origin =
          kind === 'stop' ? { environment: random.pick(ENVIRONMENTS) } : (meant.owner ?? this.owner(marker));
        const drain = random.chance(0.15) && { drainSeconds: 1 };
        const stop = of('end', { origin, reason: marker, ...drain });
        return { ...stop, stop: { epoch, origin } };
      }
    }
  }

  /** Mostly the one that was heard; sometimes one from before, or one that there is not yet. */
  private epochOf({ epoch }: Heard): number {
    const luck = this.random.next();
    if (luck < 0.12) return Math.max(0, epoch - 1);
    return luck < 0.14 ? epoch + 100 : epoch;
  }

  private owner(instance: string): Owner {
    return { environment: this.random.pick(ENVIRONMENTS), instance };
  }

  private keyed(marker: string, probability: number): { key?: string } {
    return this.random.chance(probability) ? { key: `key-${marker}` } : {};
  }
}

type Begun = Omit<Asked, 'marker' | 'partition' | 'scopeKey' | 'sessionId'>;
