import { rest } from '#waiting';
import { queryOf, send, troubleOf } from './call';
import type { SeenEvent } from './seen-event';
import { untilSeen } from './until-seen';

interface Listener {
  opened(): void;
  event(event: SeenEvent): void;
  /** Nothing is heard from now on, until it is opened again. */
  lost(why: string): void;
  /** No stream may be open for now, see `takePlace`: called every three seconds, and at once. */
  waiting?(): void;
}

const AGAIN_MS = 1_000;
/** The service writes something every 15 seconds; one that is silent for longer is taken to be gone. */
const SILENT_MS = 40_000;
const ASK_MS = 3_000;
/** A browser has six connections to a service, for all its tabs: two are left to ask by. */
const PLACES = 4;
/** A tab that nobody has seen for so long lets its stream go, and comes back when it is seen. */
const UNSEEN_MS = 5_000;

/**
 * Follows server-sent events until `signal` aborts, and comes back after the last one when the connection breaks. It is
 * fetched because EventSource can't send a credential.
 */
export async function follow(
  path: string,
  query: object,
  signal: AbortSignal,
  listener: Listener,
): Promise<void> {
  let last: string | undefined;
  while (!signal.aborted) {
    const giveBack = await takePlace(signal, listener);
    const seen = whileSeen(signal);
    try {
      const response = await send(`${path}${queryOf(query)}`, {
        headers: { ...(last !== undefined && { 'last-event-id': last }) },
        signal: seen.signal,
        isStream: true,
      });
      listener.opened();
      for await (const { id, data } of framesOf(response)) {
        if (id !== undefined) last = id;
        if (data !== undefined) listener.event(JSON.parse(data) as SeenEvent);
      }
      listener.lost('The service ended the stream.');
    } catch (error) {
      if (!signal.aborted) listener.lost(seen.isOver ? 'This tab was hidden.' : troubleOf(error));
    } finally {
      seen.stop();
      giveBack();
    }
    await rest(AGAIN_MS, signal);
  }
}

/**
 * One of the streams that all tabs of this browser may have at once: its connections are few, and a tab that gets none
 * could not even ask. Resolves, when the tab is seen, with what gives it back. A page that is not of a secure context takes what it wants.
 */
async function takePlace(signal: AbortSignal, { waiting, lost }: Listener): Promise<() => void> {
  if (!navigator.locks) {
    await untilSeen(signal);
    return () => {};
  }
  for (let told = false; !signal.aborted; ) {
    await untilSeen(signal);
    for (let place = 0; place < PLACES; place++) {
      const giveBack = await tryLock(`session-ledger-stream-${place}`);
      if (giveBack) return giveBack;
    }
    if (!told)
      lost(
        `Other tabs already use all ${PLACES} streams.${waiting ? ' This one polls every few seconds.' : ''}`,
      );
    told = true;
    waiting?.();
    await rest(ASK_MS, signal);
  }
  return () => {};
}

function tryLock(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, (lock) => {
        if (!lock) return resolve(undefined);
        return new Promise<void>((giveBack) => resolve(giveBack));
      })
      .catch(reject);
  });
}

/** Aborts with `signal`, and when the tab has not been seen for a while. */
function whileSeen(signal: AbortSignal) {
  const unseen = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const changed = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => unseen.abort(), UNSEEN_MS);
  };
  changed();
  document.addEventListener('visibilitychange', changed);
  return {
    signal: AbortSignal.any([signal, unseen.signal]),
    get isOver() {
      return unseen.signal.aborted;
    },
    stop() {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', changed);
    },
  };
}

async function* framesOf(response: Response): AsyncGenerator<{ id?: string; data?: string }> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let rest = '';
  for (;;) {
    const { done, value } = await withinSilence(reader);
    if (done) return;
    const frames = (rest + value).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const fields = new Map(
        frame.split('\n').map((line) => [line.split(':', 1)[0], line.replace(/^\w+: ?/, '')]),
      );
      const [id, data] = [fields.get('id'), fields.get('data')];
      yield { ...(id !== undefined && { id }), ...(data !== undefined && { data }) };
    }
  }
}

async function withinSilence(reader: ReadableStreamDefaultReader<string>) {
  const timer = setTimeout(() => void reader.cancel(), SILENT_MS);
  try {
    return await reader.read();
  } finally {
    clearTimeout(timer);
  }
}
