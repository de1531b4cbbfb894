import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Session } from '#client';

const sessions = new WeakMap<object, Session>();

/** For SessionGuard: the session that a request is for. */
export function setSession(request: object, session: Session): void {
  sessions.set(request, session);
}

/** The session that the request is for, as SessionGuard has found it. */
export const CurrentSession = createParamDecorator((_: unknown, context: ExecutionContext): Session => {
  const session = sessions.get(context.switchToHttp().getRequest());
  if (!session) throw new Error('@CurrentSession() needs @UseGuards(SessionGuard)');
  return session;
});
