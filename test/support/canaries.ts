import { randomBytes } from 'node:crypto';

const SESSION_IDS = /"(?:sessionId|rootId|parentId|successorId)":"([0-9a-f-]{36})"/g;

/** Values that must not stand where operators look, and the search for them. */
export class Canaries {
  /** In every value that is made here. No UUID: those are masked whatever they are. */
  private readonly mark = `canary${randomBytes(8).toString('hex')}`;
  private readonly sessionIds = new Set<string>();

  /** A value to send: at most 64 characters of a-z, 0-9 and -, for a `kind` of at most 40. */
  make(kind: string): string {
    return `${this.mark}-${kind}`;
  }

  /** Remembers the ids of all sessions in an answer. */
  learn(answer: string): void {
    for (const [, id] of answer.matchAll(SESSION_IDS)) this.sessionIds.add(id as string);
  }

  /** How many session ids are looked for. */
  get sessions(): number {
    return this.sessionIds.size;
  }

  /** The lines that show one: a value that was made here, or a session id in any case, with or without its dashes. */
  leaksIn(text: string): string[] {
    const secrets = [
      this.mark,
      ...this.sessionIds,
      ...[...this.sessionIds].map((id) => id.replaceAll('-', '')),
    ];
    const shown = (line: string) => secrets.some((secret) => line.includes(secret));
    return text.split('\n').filter((line) => shown(line.toLowerCase()));
  }
}
