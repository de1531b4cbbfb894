import { PassThrough } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { withoutAccess } from '#access';
import { encodeVector, type Latest, ScopeEventIds } from '#api';
import type { LogPages, Tail } from '#log';
import { scopeKey } from '#session';
import { LoopTurns } from '../loop-turns.js';
import { Streams, type StreamsOptions } from './streams.js';

const big = JSON.stringify('x'.repeat(64 << 10));

/** A log of two partitions, three events each; every one of them is more than a reader's buffer holds. */
function log(): Omit<StreamsOptions, 'access' | 'turns' | 'onFault'> {
  const events = [0, 1].map((partition) =>
    [1, 2, 3].map((sequence) => ({ partition, sequence, bytes: Buffer.from(big) })),
  );
  return {
    tail: {
      heads: () => [3, 3],
      listen: () => () => {},
      onRewind: () => () => {},
      restores: 0,
    } as unknown as Tail,
    pages: {
      follow: async (partition: number, after: number) => events[partition]?.slice(after) ?? [],
      followScope: async (_: string, after: number) =>
        [1, 2, 3].slice(after).map((version) => ({ version, json: big })),
    } as unknown as LogPages,
    latest: async () => ({ version: 3 }) as Latest,
  };
}

const streamsOf = () =>
  new Streams({ ...log(), turns: new LoopTurns(), access: withoutAccess, onFault: () => {} });

/** Streams to a reader that takes nothing unless it is read. */
function opened(follow: (streams: Streams, reply: FastifyReply) => void) {
  const raw = Object.assign(new PassThrough(), { writeHead: () => raw });
  const reply = { raw, hijack: () => {}, request: { method: 'GET' } } as unknown as FastifyReply;
  const streams = streamsOf();
  follow(streams, reply);
  return { raw, streams };
}

test('at most 10,000 are open at once; the next one is told before its answer begins', async () => {
  const streams = streamsOf();
  const open = () => {
    const raw = Object.assign(new PassThrough(), { writeHead: () => raw });
    let isTaken = false;
    const hijack = () => {
      isTaken = true;
    };
    try {
      streams.serve({ raw, hijack, request: { method: 'GET' } } as unknown as FastifyReply, {
        vector: [3, 3],
        restores: 0,
      });
    } catch (error) {
      return { error, isTaken };
    }
    return { raw, isTaken };
  };
  const all = Array.from({ length: 10_000 }, open);
  expect(streams.count).toBe(10_000);
  expect(open()).toEqual({ error: expect.objectContaining({ code: 'overloaded' }), isTaken: false });
  all[0]?.raw?.destroy();
  await new Promise(setImmediate);
  expect([streams.count, open().isTaken, streams.count]).toEqual([9_999, true, 10_000]);
  streams.close();
  expect(streams.count).toBe(0);
});

const scope = scopeKey({ tenant: 't', userId: 'u', projectId: 'p' });
test.each<[string, number, (streams: Streams, reply: FastifyReply) => void]>([
  ['feed', 2.5, (streams, reply) => streams.serve(reply, { vector: [0, 0], restores: 0 })],
  [
    'scope',
    2.5,
    (streams, reply) =>
      streams.serve(reply, { scopeKey: scope, version: 0, ids: new ScopeEventIds(scope, 0) }),
  ],
])(
  'a reader of the %s that takes nothing is given what its buffers hold, and no more',
  async (_, most, follow) => {
    const { raw, streams } = opened(follow);
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
    const given = raw.writableLength + raw.readableLength;
    expect([given > big.length, given < most * big.length]).toEqual([true, true]);
    streams.close();
  },
);

test('an id tells of no event that was not sent yet, however slow the reader is', async () => {
  const { raw, streams } = opened((all, reply) => all.serve(reply, { vector: [0, 0], restores: 0 }));
  let text = '';
  for await (const part of raw) {
    text += part;
    await new Promise(setImmediate);
    if (text.split('data: ').length > 6 && text.endsWith('\n\n')) break;
  }
  streams.close();
  const ids = text.split('\n').flatMap((line) => /^id: (.*)/.exec(line)?.[1] ?? []);
  const sums = ids.map((id) =>
    id
      .replace(/-r0$/, '')
      .split('.')
      .reduce((sum, one) => sum + Number(one), 0),
  );
  expect(ids[0]).toBe(encodeVector([0, 0], 0));
  expect(sums).toEqual([0, 1, 2, 3, 4, 5, 6]);
});
