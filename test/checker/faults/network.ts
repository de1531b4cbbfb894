import { setTimeout as pause } from 'node:timers/promises';
import type { TcpProxy } from '../../support/proxy.js';
import type { Random } from '../running/random.js';
import type { Replica, World } from '../running/world.js';
import type { Fault, Inflict } from './fault.js';

type Side = 'front' | 'back';

/** Breaks one proxy of one replica, and heals it after a while. */
function onProxy(side: Side, breaking: (proxy: TcpProxy, random: Random) => void): Inflict {
  return async ({ replicas }: World, { replica, ms }: Fault, random) => {
    const proxy = (replicas[replica] as Replica)[side];
    breaking(proxy, random);
    await pause(ms);
    proxy.delay(0);
    proxy.heal();
  };
}

/** Answers are lost and their connections reset: each with the probability that `of` gives for its request. */
function losing(proxy: TcpProxy, random: Random, of: (request: Buffer) => number): void {
  proxy.dropNextReplies(Number.MAX_SAFE_INTEGER, (request) => random.chance(of(request)));
}

const anything = () => 0.35;

/** Commits that append no event are rare, and whether they happened has to be found out in another way. */
const commits = (request: Buffer) => {
  if (!request.includes('commit\0')) return 0;
  return request.includes('save_batch') ? 0.35 : 0.7;
};

export const cutClients = onProxy('front', (proxy) => proxy.cut());
export const loseAnswersToClients = onProxy('front', (proxy, random) => losing(proxy, random, anything));
export const answerNoClients = onProxy('front', (proxy) => proxy.swallowReplies());
export const cutDatabase = onProxy('back', (proxy) => proxy.cut());
export const loseAnswersToCommits = onProxy('back', (proxy, random) => losing(proxy, random, commits));
export const loseAnswersOfDatabase = onProxy('back', (proxy, random) => losing(proxy, random, anything));
export const silenceDatabase = onProxy('back', (proxy) => proxy.swallowReplies());
export const slowDatabase = onProxy('back', (proxy, random) => proxy.delay(random.integer(20, 200)));
