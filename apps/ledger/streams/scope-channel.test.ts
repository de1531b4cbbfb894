import type { EventStream } from './event-stream.js';
import { ScopeChannel } from './scope-channel.js';

/** A reader, and how often it was woken. */
function reader(channel: ScopeChannel) {
  const one = { woken: 0, wake: () => void one.woken++ };
  channel.readers.add(one as unknown as EventStream);
  return one as unknown as EventStream & { woken: number };
}
const frame = (text: string) => Buffer.from(text);
const texts = (frames: readonly Buffer[] | undefined) => frames?.map(String);

test('has what follows a version until all have it', () => {
  const channel = new ScopeChannel();
  const [one, other] = [reader(channel), reader(channel)];
  expect(channel.after(7)).toEqual([]);
  channel.hear(8, frame('8'));
  channel.hear(9, frame('9'));
  expect([one.woken, other.woken]).toEqual([2, 2]);
  expect([7, 8, 9, 10].map((version) => texts(channel.after(version)))).toEqual([['8', '9'], ['9'], [], []]);
  expect(channel.after(6)).toBeUndefined(); // before it was listened to
  channel.reached(one);
  expect(texts(channel.after(7))).toEqual(['8', '9']);
  channel.leave(other);
  expect([channel.after(7), channel.after(9), channel.last]).toEqual([undefined, [], 9]);
});

test('keeps at most 100 events and 256 KiB for those who do not have them', () => {
  const channel = new ScopeChannel();
  reader(channel);
  for (let version = 1; version <= 150; version++) channel.hear(version, frame('x'));
  expect([channel.after(49), channel.after(50)?.length]).toEqual([undefined, 100]);
  for (let version = 151; version <= 160; version++) channel.hear(version, Buffer.alloc(100 << 10));
  expect([channel.after(157), channel.after(158)?.length]).toEqual([undefined, 2]);
});

test('has nothing across a hole', () => {
  const channel = new ScopeChannel();
  reader(channel);
  channel.hear(3, frame('3'));
  channel.hear(5, frame('5'));
  expect([channel.after(3), texts(channel.after(4))]).toEqual([undefined, ['5']]);
});
