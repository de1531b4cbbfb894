import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '#api';

/** As the configuration says it. */
export interface OriginSettings {
  /** Whether the service listens on loopback only: then it is known by the names of this machine alone. */
  isLocal: boolean;
  /** Hosts by which it is known besides, without their ports. */
  hosts: readonly string[];
  /** Origins whose pages may ask: scheme, host and port. */
  origins: readonly string[];
}

const LOCAL = ['localhost', '127.0.0.1', '[::1]'];
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, if-none-match, last-event-id, ledger-position, traceparent',
  'access-control-max-age': '600',
};
const EXPOSED =
  'etag, idempotency-replayed, ledger-position, ledger-restores, location, ratelimit, ratelimit-policy, retry-after';

/**
 * Keeps web pages out that nobody has let in. A page elsewhere can have a browser ask a service on loopback: by its
 * address, or by a name of its own that leads there (DNS rebinding), which the Host header tells.
 */
export class Origins {
  private readonly hosts: ReadonlySet<string> | undefined;
  private readonly origins: ReadonlySet<string>;

  constructor({ isLocal, hosts, origins }: OriginSettings) {
    const names = isLocal ? [...LOCAL, ...hosts] : hosts;
    // Whoever listens everywhere and names no host is asked by addresses that nobody here knows.
    this.hosts = names.length > 0 ? new Set(names.map((name) => name.toLowerCase())) : undefined;
    this.origins = new Set(origins);
  }

  /** Throws `misdirected` for a host that is not this service's, and `foreign-origin` for a page that may not ask. */
  check({ headers }: FastifyRequest, reply: FastifyReply): void {
    const { host = '', origin } = headers;
    if (this.hosts && !this.hosts.has(nameOf(host))) throw new ProblemError('misdirected');
    if (origin !== undefined && !this.isOwn(origin, host)) {
      if (!this.origins.has(origin)) throw new ProblemError('foreign-origin');
      reply.headers({ ...allowing(origin), 'access-control-expose-headers': EXPOSED });
    } else if (origin === undefined && headers['sec-fetch-site'] === 'cross-site') {
      throw new ProblemError('foreign-origin');
    }
  }

  /** What an answer says to a page that may ask, as names and values in turns, when nothing else is known of the request. */
  toldTo(origin: string | undefined): readonly string[] {
    if (origin === undefined || !this.origins.has(origin)) return [];
    return Object.entries({ ...allowing(origin), 'access-control-expose-headers': EXPOSED }).flat();
  }

  /** Answers a browser that asks whether a page may ask. False for any other request. */
  answersPreflight({ method, headers }: FastifyRequest, reply: FastifyReply): boolean {
    const { origin, host = '' } = headers;
    if (method !== 'OPTIONS' || origin === undefined || !headers['access-control-request-method'])
      return false;
    if (!this.origins.has(origin) || (this.hosts && !this.hosts.has(nameOf(host)))) return false;
    reply
      .code(204)
      .headers({ ...allowing(origin), ...PREFLIGHT })
      .send();
    return true;
  }

  /** The service's own pages. A proxy may have taken the encryption away: the host alone tells. */
  private isOwn(origin: string, host: string): boolean {
    return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
  }
}

function allowing(origin: string) {
  return { 'access-control-allow-origin': origin, vary: 'origin' };
}

/** Without its port. */
function nameOf(host: string): string {
  return host.replace(/:\d*$/, '').toLowerCase();
}
