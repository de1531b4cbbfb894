import { setTimeout as pause } from 'node:timers/promises';
import { Gathering, type Got } from '../../../libs/client/calls/gathering.js';
import { ask, type Reply } from '../../support/http.js';
import { type Asked, OPERATION_OF } from '../operation.js';

/** How long requests are waited for that go together. Clients that pause at random never ask in the same turn. */
const WINDOW_MS = 40;

/** A renewal goes alone: a list takes none. */
const OPERATIONS: Partial<Record<Asked['kind'], string | undefined>> = {
  ...OPERATION_OF,
  start: 'startSession',
  renew: undefined,
};

/** Commands, and reads of what is current, on their way to a replica in lists, as the client gathers them. */
export class Together {
  private readonly commands = new Gathering((list, how) =>
    this.askMany('/v1/commands', `{"commands":[${list}]}`, how),
  );
  private readonly reads = new Gathering((list, how) => this.askMany('/v1/current', `{"of":[${list}]}`, how));
  private window: Promise<void> | undefined;
  /** How many went in lists. */
  listed = 0;

  constructor(private readonly address: string) {}

  /** What it would have been answered by itself; `alone` asks so. Rejects where nothing comes back within `ms`. */
  async ask(asked: Asked, ms: number, alone: () => Promise<Reply>): Promise<Reply> {
    const operation = OPERATIONS[asked.kind];
    if (operation === undefined && asked.kind !== 'current') return alone();
    this.window ??= pause(WINDOW_MS).then(() => {
      this.window = undefined;
    });
    await this.window;
    const order = asked.sessionId ?? asked.scopeKey;
    const got = await (operation === undefined
      ? this.reads.ask({ json: scopeIn(asked), order: undefined }, ms, undefined)
      : this.commands.ask({ json: commandOf(asked, operation), order }, ms, undefined));
    return typeof got === 'function' ? alone().finally(got) : replyOf(got);
  }

  private async askMany(
    path: string,
    body: string,
    { signal, count }: { signal: AbortSignal; count: number },
  ): Promise<Got[]> {
    const reply = await ask<{ answers?: Record<string, unknown>[] }>(`${this.address}${path}`, {
      body,
      signal,
    });
    const { status, text } = reply;
    this.listed += count;
    const answers = status === 200 ? reply.body.answers : undefined;
    if (answers?.length === count) return answers.map((one) => ({ status: Number(one.status), body: one }));
    // Of a list as a whole: that it was refused, or that it is none.
    return Array.from({ length: count }, () => ({ status, type: 'none', text, retryAfterMs: 0 }));
  }
}

function commandOf({ sessionId, body, key }: Asked, operation: string): string {
  return JSON.stringify({ operation, sessionId, body, idempotencyKey: key });
}

function scopeIn({ path }: Asked): string {
  return JSON.stringify(Object.fromEntries(new URL(path, 'http://ledger').searchParams));
}

/** With what the list says of a place in the headers of an answer to one alone. */
function replyOf(got: Got): Reply {
  if (!('body' in got)) {
    const { status, text = '' } = got;
    return { status, headers: new Headers(), text, body: JSON.parse(text) };
  }
  const { status, replayed, session, ...rest } = got.body as { status: number; [member: string]: unknown };
  const position = rest.position as { partition: number; sequence: number } | undefined;
  const headers = new Headers({
    ...(position && { 'ledger-position': `${position.partition}:${position.sequence}` }),
    ...(replayed === true && { 'idempotency-replayed': 'true' }),
  });
  const isRead = status === 200 && rest.outcome === undefined;
  const body = isRead
    ? (session as Record<string, unknown>)
    : { ...rest, ...(session !== undefined && { session }) };
  return { status, headers, text: JSON.stringify(body), body };
}
