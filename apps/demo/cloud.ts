/** A process of the demo: one cloud environment, which knows nothing but what the ledger answers it. */
import { now, onLeave, onOrder, say, setUp } from './child.js';
import { DemoError } from './error.js';
import type { Answer, Order } from './facts.js';
import { ask, understand } from './ledger-http.js';

export interface CloudSetup {
  url: string;
  environment: string;
  userId: string;
  projectId: string;
}

/** A session and the epoch under which this cloud knows it. */
interface Known {
  sessionId: string;
  epoch: number;
}

const { url, environment, userId, projectId } = setUp<CloudSetup>();
const owner = { environment };
const scope = new URLSearchParams({ userId, projectId });

/** The session that this cloud runs, or believes to run. */
let mine: Known | undefined;
/** What was current when it last asked. */
let current: Known | undefined;

onOrder<Order>(async (order) => {
  switch (order.do) {
    case 'start':
      return startOrClaim('start', '', { userId, projectId, owner });
    case 'claim': {
      const { sessionId, epoch } = held(current, 'has not asked what is current');
      return startOrClaim('claim', `/${sessionId}/claim`, { epoch, owner }, { sessionId, epoch });
    }
    case 'stop': {
      const { sessionId, epoch } = held(mine, 'has no session to stop');
      const body = { epoch, origin: owner, reason: 'User session ended' };
      await command('stop', `/${sessionId}/end`, body, { sessionId, epoch });
      return;
    }
    case 'release': {
      const { sessionId, epoch } = held(mine, 'has no session to release');
      const body = { epoch, owner, to: { environment: order.to }, reservedSeconds: order.seconds };
      await command('release', `/${sessionId}/release`, body, { sessionId, epoch });
      return;
    }
    case 'look': {
      const at = now();
      const { status, body } = await ask(`${url}/v1/current?${scope}`);
      const answer = tell({ at, did: 'look', ...understand(status, body) });
      current = answer.session;
      return;
    }
    case 'history': {
      const at = now();
      const { status, body } = await ask(`${url}/v1/events?${scope}`);
      tell({ at, did: 'history', ...understand(status, body), history: body.events ?? [] });
      return;
    }
    default:
      order satisfies never;
  }
});
onLeave(async () => {});

/** A command that makes a session this cloud's own. */
async function startOrClaim(did: 'start' | 'claim', path: string, body: object, asked?: Known) {
  const { status, session } = await command(did, path, body, asked);
  if (status < 300) mine = session;
}

async function command(did: Order['do'], path: string, body: object, asked?: Known): Promise<Answer> {
  const at = now();
  const reply = await ask(`${url}/v1/sessions${path}`, body);
  return tell({ at, did, ...(asked && { asked }), ...understand(reply.status, reply.body) });
}

function tell(what: Omit<Answer, 'kind' | 'who'>): Answer {
  const answer: Answer = { kind: 'answer', who: environment, ...what };
  say(answer);
  return answer;
}

function held(known: Known | undefined, otherwise: string): Known {
  if (!known) throw new DemoError(`${environment} ${otherwise}`);
  return known;
}
