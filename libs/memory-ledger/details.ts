import type { NewDetails } from '#api';
import { type Json, type JsonObject, mergePatch, type Session } from '#session';

/** What may have to be forgotten: attributes' JSON by its digest. */
export class Details {
  readonly bodies = new Map<string, string>();

  keep({ digest, body }: NewDetails): void {
    this.bodies.set(digest, body);
  }

  forget(digest: string): void {
    this.bodies.delete(digest);
  }

  /** After a merge patch; undefined when none are left. The same ones keep their digest. */
  patched(session: Session | undefined, patch: JsonObject): NewDetails | undefined {
    const digest = session?.attributesDigest;
    const before = this.bodies.get(digest ?? '') ?? '{}';
    const body = JSON.stringify(mergePatch(JSON.parse(before) as Json, patch));
    if (body === '{}') return undefined;
    return digest && body === before ? { ...newDetails(body), digest } : newDetails(body);
  }

  /** A session as a ledger stores it. */
  stored(session: Session): { json: string; attributes?: string } {
    const { attributesDigest: digest } = session;
    const json = JSON.stringify(session);
    return digest === undefined ? { json } : { json, attributes: this.bodies.get(digest) ?? 'erased' };
  }
}

/** Attributes on their way to be kept, under a digest that is made up: nothing here has to be proven. */
export function newDetails(body: string): NewDetails {
  return { digest: crypto.randomUUID(), salt: Buffer.alloc(0), body };
}
