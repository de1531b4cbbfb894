import {
  BadRequestException,
  type CanActivate,
  type ExecutionContext,
  HttpException,
  Injectable,
  ServiceUnavailableException,
} from '@nestjs/common';
import { LedgerClient, LedgerError, LedgerProblem, type Operations } from '#client';
import { setSession } from './current-session.js';

type Candidate = Operations['resolve']['body']['candidates'][number];
type Headers = Readonly<Record<string, string | string[] | undefined>>;

const REFERENCE = /^([0-9a-f-]{36});\s*epoch=(\d{1,16})$/i;
const HANDLE = /^([a-z0-9_.-]{1,64}):(.{1,1024})$/;

/**
 * Lets a request through if all that it names means one session, which is current:
 *
 *     Session-Reference: 0199…-…; epoch=3      a session as it was at that epoch
 *     Session-Handle: transport:4711           an outside name that is bound to it
 *
 * Answers 400 for none, 404 for an unknown one, 409 for a stale one or several, with what is current, 503 when the
 * ledger cannot tell. What was current when the guard looked may be over when you write: show `session.epoch` there.
 */
@Injectable()
export class SessionGuard implements CanActivate {
  constructor(private readonly ledger: LedgerClient) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<{ headers: Headers }>();
    const candidates = candidatesOf(request.headers);
    if (candidates.length === 0)
      throw new BadRequestException('Name a session: Session-Reference, Session-Handle');
    try {
      const { session } = await this.ledger.call('resolve', { body: { candidates } }, { deadlineMs: 5_000 });
      setSession(request, session);
      return true;
    } catch (error) {
      throw error instanceof LedgerError ? refused(error) : error;
    }
  }
}

function candidatesOf(headers: Headers): Candidate[] {
  const candidates: Candidate[] = [];
  const [reference, handle] = [headers['session-reference'], headers['session-handle']];
  if (reference !== undefined) {
    const [, sessionId = '', epoch] = parsed('Session-Reference', REFERENCE, reference);
    candidates.push({ sessionId, epoch: Number(epoch) });
  }
  if (handle !== undefined) {
    const [, kind = '', value = ''] = parsed('Session-Handle', HANDLE, handle);
    candidates.push({ kind, value });
  }
  return candidates;
}

function parsed(name: string, pattern: RegExp, header: string | string[]): RegExpExecArray {
  const match = pattern.exec(String(header));
  if (!match) throw new BadRequestException(`${name} cannot be read`);
  return match;
}

/** A refusal as the ledger gave it; anything else is not this caller's fault. */
function refused(error: LedgerError): HttpException {
  if (!(error instanceof LedgerProblem) || error.status >= 500) {
    return new ServiceUnavailableException('Which session this is for cannot be found out at the moment');
  }
  const { type, status, detail, retryable, current } = error;
  const { sessionId, epoch } = current ?? {};
  return new HttpException(
    { type, status, detail, retryable, ...(current && { current: { sessionId, epoch } }) },
    status,
  );
}
