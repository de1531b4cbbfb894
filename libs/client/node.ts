/** What needs Node: the context that follows asynchronous calls, and signals. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFile } from 'node:fs/promises';
import { bearerOf } from './calls/bearer.js';
import { CredentialError } from './errors.js';
import type { Handle } from './generated/api.js';
import type { LedgerClient } from './ledger-client.js';
import type { SessionName } from './resolving/reference.js';

const contexts = new AsyncLocalStorage<SessionName | Handle>();

/** Calls `work` with a session as its context: for everything that it calls and awaits, however deep. */
export function withSession<T>(session: SessionName | Handle, work: () => T): T {
  return contexts.run(session, work);
}

/** The session of the call that is being made; undefined outside of `withSession`. For a resolver's `context`. */
export function currentContext(): SessionName | Handle | undefined {
  return contexts.getStore();
}

/**
 * On a signal, SIGTERM unless named otherwise: releases what the client holds, for at most 3 s, then lets the signal
 * take its course. Returns how to stop that.
 */
export function releaseOnSignal(ledger: LedgerClient, signal: NodeJS.Signals = 'SIGTERM'): () => void {
  const onSignal = async () => {
    await ledger.releaseAll();
    ledger.close();
    stop();
    // Whoever else listens ends the process in its own way; nobody: then the signal does.
    if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
  };
  const stop = () => process.off(signal, onSignal);
  process.once(signal, onSignal);
  return stop;
}

const REREAD_MS = 1_000;

/**
 * For a client's `token`: the key in LEDGER_TOKEN, or the one in the file that LEDGER_TOKEN_FILE names, which is read
 * again when a second has passed, so that whoever writes a new one there need restart nothing. Undefined when neither is
 * set. With a key that no header can carry, or a file that never was read, a call rejects with CredentialError at once;
 * while a file that was read before is missing for a moment, calls try again.
 */
export function tokenFromEnvironment(
  env: NodeJS.ProcessEnv = process.env,
): string | (() => Promise<string>) | undefined {
  const { LEDGER_TOKEN: token, LEDGER_TOKEN_FILE: file } = env;
  if (token) return async () => checked(token, 'LEDGER_TOKEN');
  if (!file) return undefined;
  let text: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  return async () => {
    if (text !== undefined && performance.now() - readAt < REREAD_MS) return text;
    try {
      text = checked(await readFile(file, 'utf8'), 'the key in the file that LEDGER_TOKEN_FILE names');
    } catch (error) {
      const why = error instanceof CredentialError ? error.message : unreadable(file, error);
      throw text === undefined ? new CredentialError(why) : new Error(why);
    }
    readAt = performance.now();
    return text;
  };
}

function checked(token: string, name: string): string {
  bearerOf(token, name);
  return token.trim();
}

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read',
};

function unreadable(file: string, error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return `LEDGER_TOKEN_FILE names ${file}, which cannot be read: ${REASONS[code] ?? (code || message)}`;
}
