import type { Operations } from '#client';
import { orAborted } from '#waiting';

export type Caller = Operations['access']['answer'];

/** Who asks, and whether the page waits for somebody to sign in. */
export interface Access {
  /** Absent until the service has said it, and after signing out. */
  caller?: Caller;
  /** Whether requests wait until somebody signs in. */
  isAsked: boolean;
  /** Why the last credential does not count any more, as the service says it. */
  why?: string;
  /** Rises when somebody else signs in: what was shown to the one before must go. */
  turn: number;
}

interface Waiting {
  resolve(): void;
  reject(error: Error): void;
}

/** It is held by this page's memory alone: it is in no address and no storage, and a reload forgets it. */
let credential: string | undefined;
let access: Access = { isAsked: false, turn: 0 };
const waiting = new Set<Waiting>();
const listeners = new Set<(access: Access) => void>();

export const currentAccess = () => access;

/** Hears of every change until what it returns is called. */
export function onAccess(listener: (access: Access) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function change(next: Access): void {
  access = next;
  for (const listener of listeners) listener(access);
}

export const authorization = (given = credential): Record<string, string> =>
  given === undefined ? {} : { authorization: `Bearer ${given}` };

export const usedCredential = () => credential;

/** Resolves once a request may be sent. Rejects when `signal` aborts, or somebody else signs in than who asked. */
export async function maySend(signal: AbortSignal): Promise<void> {
  if (!access.isAsked) return;
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const one = { resolve, reject };
  waiting.add(one);
  await orAborted(promise, signal).finally(() => waiting.delete(one));
}

/** The service does not take `used`. Requests wait from now on, unless another credential has come meanwhile. */
export function wasRefused(used: string | undefined, why: string | undefined): void {
  if (used !== credential || access.isAsked) return;
  const { isAsked: _, why: __, ...rest } = access;
  change({ ...rest, isAsked: true, ...(used !== undefined && why !== undefined && { why: inWords(why) }) });
}

/** The service has said who asks; a page without access control needs no credential for that. */
export function isKnown(caller: Caller): void {
  change({ ...access, caller });
}

/** Requests go on, when it is the one who asked before; whatever somebody else asked for is never sent in this one's name. */
export function signedIn(given: string, caller: Caller): void {
  const { caller: before, turn } = access;
  const isSame = before !== undefined && identityOf(before) === identityOf(caller);
  credential = given;
  change({ caller, isAsked: false, turn: isSame ? turn : turn + 1 });
  for (const one of [...waiting])
    isSame ? one.resolve() : one.reject(new Error('Another caller has signed in.'));
}

/** Forgets the credential, and with it whatever the page shows. */
export function signOut(): void {
  credential = undefined;
  change({ isAsked: true, turn: access.turn + 1 });
  for (const one of [...waiting]) one.reject(new Error('The caller has signed out.'));
}

/** Where in a request it stands says nothing to who typed it. */
export const inWords = (why: string) =>
  why.replace('header.authorization has no valid credential', 'The key or token is not valid');

const identityOf = ({ tenant, principal, ledgerWide }: Caller) =>
  JSON.stringify([tenant, principal, ledgerWide]);
