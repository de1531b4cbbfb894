import { ScopeChannel } from './scope-channel.js';

/** Turns that come when they are given. */
class Turns {
  private readonly waiting: (() => void)[] = [];
  given = 0;

  nextLive(): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push(resolve);
    });
  }

  /** All that there are, one after the other. */
  async give(most = Number.POSITIVE_INFINITY): Promise<void> {
    for (let count = 0; count < most && this.waiting.length > 0; count++) {
      this.waiting.shift()?.();
      this.given += 1;
      await new Promise(setImmediate);
    }
  }
}

/** Who follows the scope, and what it was sent. */
class Reader {
  private readonly closing = new AbortController();
  readonly closed = this.closing.signal;
  readonly sent: Uint8Array[] = [];
  isFull = false;
  /** Where it stands once it is not served any more. */
  stands: number | undefined;

  send(frames: string | Uint8Array): void {
    this.sent.push(frames as Uint8Array);
  }

  get text(): string {
    return this.sent.join('');
  }

  close(): void {
    this.closing.abort();
  }
}

let turns: Turns;
let channel: ScopeChannel;
beforeEach(() => {
  turns = new Turns();
  channel = new ScopeChannel(turns);
});

function served(after: number): Reader {
  const reader = new Reader();
  channel.join(reader);
  serve(reader, after);
  return reader;
}
function serve(reader: Reader, after: number): void {
  reader.stands = undefined;
  void channel.serve(reader, after).then((stands) => {
    reader.stands = stands;
  });
}
const hear = (version: number, text = `${version} `) => channel.hear(version, Buffer.from(text));

test('all who follow get what happens, in order, and the same bytes', async () => {
  const readers = [served(7), served(7), served(8)];
  hear(8);
  hear(9);
  await turns.give();
  hear(10);
  await turns.give();
  expect(readers.map(({ text }) => text)).toEqual(['8 9 10 ', '8 9 10 ', '9 10 ']);
  expect(readers[0]!.sent[0]).toBe(readers[1]!.sent[0]);
  expect(readers[0]!.sent[1]).toBe(readers[2]!.sent[1]);
});

test('many are sent an event over several turns; what happens meanwhile goes to all as well', async () => {
  const readers = Array.from({ length: 100 }, () => served(0));
  hear(1);
  await turns.give(3);
  expect(readers.map(({ sent }) => sent.length).filter((count) => count > 0).length).toBeLessThan(60);
  hear(2);
  const late = served(0);
  await turns.give();
  expect([...readers, late].map(({ text }) => text)).toEqual(Array(101).fill('1 2 '));
  expect(turns.given).toBeLessThan(20);
});

test('a reader without room is told where it stands, and goes on from there', async () => {
  const [one, other] = [served(0), served(0)];
  one.isFull = true;
  hear(1);
  await turns.give();
  hear(2);
  await turns.give();
  expect([one.stands, one.text, other.stands, other.text]).toEqual([0, '', undefined, '1 2 ']);
  one.isFull = false;
  expect(channel.has(0)).toBe(true); // it was waited for
  serve(one, 0);
  await turns.give();
  expect(one.text).toBe('1 2 ');
  expect([channel.has(1), channel.has(2)]).toEqual([false, true]); // all have it
});

test('a reader that is closed is sent nothing, and what waited for it is forgotten', async () => {
  const [one, other] = [served(0), served(0)];
  hear(1);
  one.close();
  channel.leave(one);
  await turns.give();
  expect([one.sent.length, one.stands, other.text, channel.has(0)]).toEqual([0, 0, '1 ', false]);
  other.close();
  channel.leave(other);
  expect(channel.isEmpty).toBe(true);
});

test('keeps at most 100 events and 256 KiB for those who do not have them', async () => {
  channel.join(new Reader()); // reads pages
  for (let version = 1; version <= 150; version++) hear(version);
  expect([channel.has(49), channel.has(50)]).toEqual([false, true]);
  for (let version = 151; version <= 160; version++) channel.hear(version, Buffer.alloc(100 << 10));
  expect([channel.has(157), channel.has(158), channel.last]).toEqual([false, true, 160]);
});

test('has nothing across a hole: who needs it is told to read pages', async () => {
  const reader = served(2);
  hear(3);
  await turns.give();
  hear(5);
  await turns.give();
  expect([reader.text, reader.stands, channel.has(3), channel.has(4)]).toEqual(['3 ', 3, false, true]);
});
