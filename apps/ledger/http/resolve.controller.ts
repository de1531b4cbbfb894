import { Controller } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ResolveBody } from '#contracts';
import { Finder, type Meant } from '#log';
import { ProblemError } from '#protocol';
import { type Candidate, parseScopeKey, resolve, type Unresolved } from '#session';
import { anonymous } from '../caller.js';
import { Submissions } from '../submissions.js';
import { Presenter } from './answers.js';
import { Route } from './route.js';

type Asked = ResolveBody['candidates'][number];

/** Which session outside names and references mean. */
@Controller()
export class ResolveController {
  constructor(
    private readonly finder: Finder,
    private readonly submissions: Submissions,
    private readonly presenter: Presenter,
  ) {}

  @Route('resolve')
  async resolve(request: FastifyRequest<{ Body: ResolveBody }>, reply: FastifyReply) {
    const { candidates, override } = request.body;
    const resolution = resolve(await this.meant(candidates), override);
    if ('code' in resolution) throw await this.problem(resolution, candidates.length);
    const session = await this.presenter.session(resolution.session);
    reply
      .header('content-type', 'application/json')
      .send(`{"session":${session},"unknown":${JSON.stringify(resolution.unknown)}}`);
  }

  /** What each candidate means today. */
  private async meant(asked: readonly Asked[]): Promise<Candidate[]> {
    const named = asked.map((one) =>
      'kind' in one ? { hash: this.submissions.handle(anonymous, one).hash } : one,
    );
    const hashes = named.flatMap((one) => ('hash' in one ? [one.hash] : []));
    const ids = named.flatMap((one) => ('hash' in one ? [] : [one.sessionId]));
    const [handles, sessions] = await Promise.all([
      this.finder.byHandle([...new Set(hashes)]),
      this.finder.bySession([...new Set(ids)]),
    ]);
    return named.map((one) => {
      const meant = ours('hash' in one ? handles.get(one.hash) : sessions.get(one.sessionId));
      return { ...('epoch' in one && { epoch: one.epoch }), ...(meant && { meant }) };
    });
  }

  private async problem({ code, candidate, current }: Unresolved, of: number): Promise<ProblemError> {
    const detail = of > 1 ? `candidates.${candidate} is at fault` : undefined;
    const shown = current && JSON.parse(await this.presenter.session(current));
    return new ProblemError(code, detail, { candidate, ...(shown && { current: shown }) });
  }
}

/** Another tenant's session is unknown, whoever names it. */
function ours(meant: Meant | undefined): Meant | undefined {
  return meant && parseScopeKey(meant.scopeKey).tenant === anonymous.tenant ? meant : undefined;
}
