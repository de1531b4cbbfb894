import { type Json, type JsonObject, mergePatch, type Session } from '#session';

/** Attributes on their way to be kept; `digest` stands for them in events. */
export interface NewDetails {
  digest: string;
  body: string;
}

/** What may have to be forgotten: attributes by their digest, which is made up. */
export class Details {
  readonly #bodies = new Map<string, string>();

  fresh(body: string): NewDetails {
    return { digest: crypto.randomUUID(), body };
  }

  keep({ digest, body }: NewDetails): void {
    this.#bodies.set(digest, body);
  }

  forget(digest: string): void {
    this.#bodies.delete(digest);
  }

  /** After a merge patch; undefined when none are left. The same ones keep their digest. */
  patched(session: Session | undefined, patch: JsonObject): NewDetails | undefined {
    const digest = session?.attributesDigest;
    const before = this.#bodies.get(digest ?? '') ?? '{}';
    const body = JSON.stringify(mergePatch(JSON.parse(before) as Json, patch));
    if (body === '{}') return undefined;
    return digest && body === before ? { digest, body } : this.fresh(body);
  }

  /** A session as readers see it. */
  shown(session: Session): Session & { attributes: unknown } {
    const { attributesDigest: digest } = session;
    const body = this.#bodies.get(digest ?? '') ?? (digest === undefined ? '{}' : '"erased"');
    return { ...session, attributes: JSON.parse(body) };
  }
}
