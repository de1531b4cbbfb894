import { anonymous, placeOf, startOf, submissionOf, unkeyed } from '#api';
import { compared, interleave, type Row, row, type Side, type Turn } from '../harness.js';
import { openHere } from '../ledger.js';
import { openRegister } from '../peers/register.js';
import { type Cleanup, metered } from '../stack.js';
import type { Bench, Workload } from './workload.js';

const CALLERS = 64;

/** Tries once to be the next, knowing who was current when it was last told; whether it was accepted. */
export type Attempt = () => Promise<boolean>;

/** Everybody wants to be the next of one scope; all but one of those who ask at a time have to lose. */
export const hotScope: Workload = {
  id: 'W4',
  title: `${CALLERS} callers rotate the session of one scope, in process`,
  kafka: false,
  async run({ stack, plan, cleanup, signal }: Bench) {
    const rotate = await rotator(await stack.createDatabase('w4'), cleanup);
    const register = await openRegister(await stack.createDatabase('w4_peer'));
    cleanup.add(register.close);
    const pids = { node: process.pid, postgres: stack.postgresPid };
    const side = (name: string, attempt: Attempt) => {
      const lost: Turn[] = [];
      const turn: Side['turn'] = (ms) =>
        metered(pids, async () => {
          const done = await contend(ms, attempt);
          lost.push(done.lost);
          return done.accepted;
        });
      return { name, turn, lost: () => lost.slice(-plan.turns) };
    };
    const ours = side('rotations of one scope', rotate);
    const bare = side('UPDATE … WHERE epoch = $n, pool of 16', register.swap);
    const turns = await interleave([ours, bare], plan, signal);

    const of = ({ name }: Side) => turns.get(name) ?? [];
    const lost = ({ name, lost }: typeof ours): Row => row(`${name}: lost`, CALLERS, lost());
    const reference = { name: bare.name, turns: of(bare) };
    return [
      compared(row(`${ours.name}: accepted`, CALLERS, of(ours)), of(ours), reference),
      compared(lost(ours), ours.lost(), { name: `${bare.name}: lost`, turns: bare.lost() }),
      row(`${bare.name}: accepted`, CALLERS, of(bare)),
      lost(bare),
    ];
  },
};

/** Callers who try again as soon as they were answered: those who were accepted, and those who were not. */
async function contend(ms: number, attempt: Attempt): Promise<{ accepted: Turn; lost: Turn }> {
  const latencies = { accepted: [] as number[], lost: [] as number[] };
  const until = performance.now() + ms;
  const loop = async () => {
    for (let now = performance.now(); now < until; ) {
      const accepted = await attempt();
      const after = performance.now();
      if (after < until) latencies[accepted ? 'accepted' : 'lost'].push(after - now);
      now = after;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, loop));
  const turn = (of: number[]): Turn => ({ seconds: ms / 1_000, ops: of.length, latencies: of });
  return { accepted: turn(latencies.accepted), lost: turn(latencies.lost) };
}

/** Rotates the one session that is current as far as anybody here was told; rejects at any answer but two. */
async function rotator(databaseUrl: string, cleanup: Cleanup): Promise<Attempt> {
  const { naming, writer, close } = await openHere(databaseUrl);
  cleanup.add(close);
  const body = { userId: 'hot', owner: { environment: 'bench' } };
  const started = await writer.submit(startOf({ ...unkeyed(anonymous), body }, naming));
  if (started.kind !== 'accepted') throw new Error(`a start was answered ${started.kind}`);
  let known = started.session;
  return async () => {
    const { sessionId, epoch } = known;
    const successorId = naming.newSessionId(placeOf(sessionId, naming));
    const rotation = { type: 'RotateSession', sessionId, epoch, successorId, reason: 'build' } as const;
    const answer = await writer.submit(
      submissionOf(unkeyed(anonymous), rotation, placeOf(sessionId, naming), naming),
    );
    if (answer.kind === 'accepted') {
      known = newer(known, answer.session);
      return true;
    }
    if (answer.kind !== 'refused' || answer.refusal.code !== 'stale-session' || !answer.refusal.current) {
      throw new Error(`a rotation was answered ${answer.kind}`);
    }
    known = newer(known, answer.refusal.current);
    return false;
  };
}

function newer<T extends { epoch: number }>(one: T, other: T): T {
  return other.epoch > one.epoch ? other : one;
}
