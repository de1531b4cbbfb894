import { Body, ConflictException, Controller, Get, Post, UseGuards } from '@nestjs/common';
import { Fence, type Session } from '#client';
import { CurrentSession } from './current-session.js';
import { SessionGuard } from './session.guard.js';

const MOST_LINES = 100;

/** The captions of a user's current session: what there is to protect from sessions that are over. */
@Controller('captions')
@UseGuards(SessionGuard)
export class CaptionsController {
  private readonly lines = new Map<string, string[]>();
  private readonly fence = new Fence();

  @Get()
  read(@CurrentSession() { sessionId, scope, epoch }: Session) {
    return { sessionId, epoch, lines: this.lines.get(JSON.stringify(scope)) ?? [] };
  }

  @Post()
  add(@CurrentSession() { scope, epoch }: Session, @Body() { text }: { text?: unknown }) {
    const key = JSON.stringify(scope);
    // The guard has looked a while ago. Who writes looks once more: a later epoch was here, so this one is over.
    if (!this.fence.accept(key, epoch))
      throw new ConflictException('The session was overtaken by another one');
    const lines = [...(this.lines.get(key) ?? []), String(text)].slice(-MOST_LINES);
    this.lines.set(key, lines);
    return { lines };
  }
}
