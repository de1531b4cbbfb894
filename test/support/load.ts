import { randomUUID } from 'node:crypto';
import { ask } from './http.js';
import type { CommandBody } from './sessions.js';

/** A start that was sent: its key, whose it is, and what came back, if anything did. */
export interface Sent {
  userId: string;
  key: string;
  status?: number;
  sessionId?: string;
}

/** Starts one session for its user; the same `sent` is the same command. */
export async function send(url: string, sent: Sent): Promise<number> {
  const { status, body } = await ask<CommandBody>(`${url}/v1/sessions`, {
    body: { userId: sent.userId, owner: { environment: 'cloud-dev', instance: sent.key } },
    headers: { 'idempotency-key': sent.key },
  });
  sent.status = status;
  if (status === 201) sent.sessionId = body.session.sessionId;
  return status;
}

/** `callers` at once, each one command after the other for users of its own, until told to stop. */
export function startLoad(url: string, callers: number) {
  const sent: Sent[] = [];
  let isOver = false;
  const done = Promise.all(
    Array.from({ length: callers }, async () => {
      const users = [randomUUID(), randomUUID()];
      for (let count = 0; !isOver; count++) {
        const one: Sent = { userId: users[count % 2] as string, key: randomUUID() };
        sent.push(one);
        // A connection that broke is an answer that never came: that is what is looked into later.
        await send(url, one).catch(() => new Promise((resolve) => setTimeout(resolve, 100)));
      }
    }),
  );
  return {
    sent,
    async stop() {
      isOver = true;
      await done;
      return sent;
    },
  };
}
