import { Injectable, Logger } from '@nestjs/common';
import { maskSecrets } from '#access';

const QUIET_MS = 5_000;

/** Postgres' class of errors that quote what it could not read: anything that somebody sent. */
const DATA_EXCEPTION = /^22[0-9A-Z]{3}$/;
const QUOTED = /".*"/s;

/**
 * Where faults of the machinery are told to the operator: one line each, the same kind at most every five
 * seconds. Of an error it tells code and message, never its data: that may hold ids or attributes.
 */
@Injectable()
export class Faults {
  private readonly logger = new Logger('session-ledger');
  private readonly last = new Map<string, number>();

  /** `id` is that of the request that ran into it. Returns whether there is a line. */
  report(where: string, error: unknown, id?: string): boolean {
    const { code, message, name } = (error ?? {}) as { code?: string; message?: string; name?: string };
    const kind = `${where} ${code ?? name}`;
    const now = Date.now();
    if (now - (this.last.get(kind) ?? 0) < QUIET_MS) return false;
    this.last.set(kind, now);
    const told = code && DATA_EXCEPTION.test(code) ? message?.replace(QUOTED, '"…"') : message;
    const about = id === undefined ? '' : ` (request ${id})`;
    this.log('error', `${where}: ${[code, told ?? String(error)].filter(Boolean).join(' ')}${about}`);
    return true;
  }

  /** One line, with session ids masked. */
  log(level: 'debug' | 'info' | 'warn' | 'error', line: string): void {
    if (level === 'debug') return;
    this.logger[level === 'info' ? 'log' : level](mask(line));
  }
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-([0-9a-f]{12})/gi;

/** Session ids never stand in clear in logs: their last four digits are enough to follow one. */
export function mask(text: string): string {
  return maskSecrets(text).replace(UUID, (_, end: string) => `…${end.slice(-4)}`);
}
