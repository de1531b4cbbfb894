import { randomBytes } from 'node:crypto';
import type { FollowerSetup } from './app-server.js';
import type { CloudSetup } from './cloud.js';
import { DemoError } from './error.js';
import type { Answer, Fact, Facts, Order } from './facts.js';
import type { Options } from './options.js';
import { Player } from './player.js';
import type { Timeline } from './timeline.js';

const PROJECT = 'captions';
const RESERVED_SECONDS = 30;
/** The app has to have joined within this; most of it is Kafka's own time. */
const READY_MS = 15_000;
const ANSWER_MS = 10_000;
/** How long an event may take to reach the app before it counts as missing. */
const EVENT_MS = 2_000;

/**
 * Scenario 1: tells the processes what to do, one after the other, and shows on the timeline what they got.
 * Throws DemoError when one of them cannot go on; whether all was right, the checks say.
 */
export async function play({ url, kafka }: Options, timeline: Timeline): Promise<Facts> {
  const scope = { userId: `demo-${randomBytes(4).toString('hex')}`, projectId: PROJECT };
  const cloud = (environment: string) =>
    new Player<Order>(environment, 'cloud', { url, environment, ...scope } satisfies CloudSetup);
  const follower = { who: kafka ? 'app (Kafka)' : 'app (feed)', url, ...scope, ...(kafka && { kafka }) };
  const app = new Player<{ do: 'look' }>(follower.who, 'app-server', follower satisfies FollowerSetup);
  const [dev, debug, staging] = [cloud('cloud-dev'), cloud('cloud-debug'), cloud('cloud-staging')];
  const all = [dev, debug, staging, app];
  const shown = new Map(all.map((player) => [player, 0]));

  /** What was said since the last time, in the order in which it happened. */
  const show = () => {
    const facts = all.flatMap((player) => {
      const news = player.said.slice(shown.get(player));
      shown.set(player, player.said.length);
      return news.filter((said): said is Fact => 'at' in said);
    });
    timeline.show(facts.sort((a, b) => a.at - b.at));
  };
  /** Waits until the app has seen `count` events; a missing one is for the checks to say. */
  const appHas = async (count: number) => {
    let seen = 0;
    const all = await app.hear((said) => (said.kind === 'event' && ++seen === count) || undefined, EVENT_MS);
    show();
    return all ?? false;
  };

  try {
    timeline.title({ ...scope, url, kafka, processes: all.map(({ name, pid }) => ({ name, pid })) });
    const ready = await app.hear((said) => said.kind === 'ready' || undefined, READY_MS);
    if (!ready) throw new DemoError('the app was not ready in time');

    timeline.chapter(`The user starts ${PROJECT} on cloud-dev.`);
    const started = await ask(dev, { do: 'start' });
    if (!(await appHas(1))) throw new DemoError(`${app.name} received no event within ${EVENT_MS / 1_000} s`);

    timeline.chapter('The user moves to cloud-debug. The session on cloud-dev has not been ended.');
    const tookOver = await ask(debug, { do: 'start' });
    await appHas(3);

    timeline.chapter(
      "cloud-dev's 60 s of grace are over (the demo does not wait). cloud-dev sends a late stop under its old",
    );
    timeline.chapter('epoch three times. Before the third, it even looks up the current session.');
    const stops = [await ask(dev, { do: 'stop' }), await ask(dev, { do: 'stop' })];
    await ask(dev, { do: 'look' });
    stops.push(await ask(dev, { do: 'stop' }));
    const afterStops = await ask(debug, { do: 'look' });
    await appHas(4);

    timeline.chapter(
      `cloud-debug shuts down: it releases the session and reserves it for cloud-dev for ${RESERVED_SECONDS} s.`,
    );
    const released = await ask(debug, { do: 'release', to: 'cloud-dev', seconds: RESERVED_SECONDS });
    await ask(staging, { do: 'look' });
    const intruded = await ask(staging, { do: 'claim' });
    await ask(dev, { do: 'look' });
    const claimed = await ask(dev, { do: 'claim' });
    await appHas(6);

    timeline.chapter('The result.');
    const last = await ask(dev, { do: 'look' });
    const history = await ask(dev, { do: 'history' });
    app.tell({ do: 'look' });
    const view = await app.hear((said) => (said.kind === 'view' ? said : undefined), ANSWER_MS);
    if (!view) throw new DemoError(`${app.name} does not report its current session`);
    const seen = app.said.filter((said) => said.kind === 'event');
    return { started, tookOver, stops, afterStops, released, intruded, claimed, last, history, seen, view };
  } finally {
    show();
    await Promise.all(all.map((player) => player.leave()));
  }
}

/** One order, one answer. */
async function ask(cloud: Player<Order>, order: Order): Promise<Answer> {
  const before = cloud.said.length;
  cloud.tell(order);
  const answer = await cloud.hear((said) => (said.kind === 'answer' ? said : undefined), ANSWER_MS, before);
  if (!answer) throw new DemoError(`${cloud.name} got no answer within ${ANSWER_MS / 1_000} s`);
  return answer;
}
