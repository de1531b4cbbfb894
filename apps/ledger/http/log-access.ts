import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AccessLog } from '#access';
import type { Needs } from '#api';

/** Writes down who asked for what is worth to be known later: never a body, an id of a session, or a secret. */
export function keepLog(fastify: FastifyInstance, log: AccessLog): void {
  fastify.addHook('onResponse', (request, { statusCode: status }, done) => {
    const how = howNoted(request, status);
    if (how) {
      const { caller, name } = request.asking ?? { name: 'none' };
      const access = {
        ...{ at: new Date(), status, credential: name, address: request.ip },
        ...{ principal: caller?.principal ?? '', tenant: caller?.tenant ?? '' },
        operation: `${request.method} ${request.routeOptions.url ?? ''}`,
      };
      log.note(access, how === 'summed');
    }
    done();
  });
}

/** What comes often is summed up: refusals, and reads of what is of all tenants. */
function howNoted({ routeOptions, body }: FastifyRequest, status: number): 'each' | 'summed' | undefined {
  if (status === 401 || status === 403 || status === 429) return 'summed';
  const { needs = 'nothing' } = routeOptions.config as { needs?: Needs };
  if (needs === 'nothing') return undefined;
  if (needs.every((one) => one === 'audit')) return 'summed';
  return isForced(body) || needs.every((one) => one === 'operate' || one === 'admin') ? 'each' : undefined;
}

/** Also where it is one of many commands. */
function isForced(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return false;
  const { force, commands } = body as { force?: unknown; commands?: unknown };
  return force === true || (Array.isArray(commands) && commands.some((one) => isForced(one?.body)));
}
