import { Controller } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type {
  ActivateBody,
  AttributesBody,
  ClaimBody,
  EndBody,
  HandlesBody,
  ReleaseBody,
  RotateBody,
  StartBody,
} from '#contracts';
import { newSalt, type Submission } from '#log';
import { attributesJson } from '../attributes.js';
import { anonymous } from '../caller.js';
import { Execute } from '../execute.js';
import { leaseTerms } from '../lease-terms.js';
import { ProblemError } from '../problem.js';
import { Submissions } from '../submissions.js';
import { Presenter } from './answers.js';
import { keyedRequest } from './request-key.js';
import { Route } from './route.js';

type OfSession<Body> = FastifyRequest<{ Params: { sessionId: string }; Body: Body }>;

/** The routes that change something: each turns its request into one command. */
@Controller()
export class CommandsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly submissions: Submissions,
    private readonly presenter: Presenter,
  ) {}

  @Route('startSession')
  start(request: FastifyRequest<{ Body: StartBody }>, reply: FastifyReply) {
    return this.execute(reply, this.submissions.start(anonymous, request.body, keyedRequest(request)));
  }

  @Route('activateSession')
  activate(request: OfSession<ActivateBody>, reply: FastifyReply) {
    return this.forSession(request, reply, { type: 'ActivateSession', ...named(request) });
  }

  @Route('rotateSession')
  rotate(request: OfSession<RotateBody>, reply: FastifyReply) {
    const { successorHandle, handles = [], ...body } = named(request);
    const names = successorHandle ? [{ ...successorHandle, binds: 'session' as const }, ...handles] : handles;
    const bound = this.submissions.handles(anonymous, names);
    const successor = successorHandle && bound.shift();
    return this.forSession(request, reply, {
      type: 'RotateSession',
      ...body,
      successorId: this.submissions.successorOf(body.sessionId),
      ...(successor && { successorHandle: successor }),
      ...(bound.length > 0 && { handles: bound }),
    });
  }

  @Route('releaseOwnership')
  release(request: OfSession<ReleaseBody>, reply: FastifyReply) {
    const { reservedSeconds = RESERVED_SECONDS, ...body } = named(request);
    if (request.body.reservedSeconds && !body.to) {
      throw new ProblemError('invalid-request', 'body.reservedSeconds needs body.to: whom to reserve it for');
    }
    return this.forSession(request, reply, { type: 'ReleaseOwnership', ...body, reservedSeconds });
  }

  @Route('claimOwnership')
  claim(request: OfSession<ClaimBody>, reply: FastifyReply) {
    const { lease, ...body } = named(request);
    return this.forSession(request, reply, {
      type: 'ClaimOwnership',
      ...body,
      ...(lease && { lease: leaseTerms(lease) }),
    });
  }

  @Route('endSession')
  end(request: OfSession<EndBody>, reply: FastifyReply) {
    return this.forSession(request, reply, { type: 'EndSession', ...named(request) });
  }

  @Route('touchSession')
  touch(request: OfSession<object>, reply: FastifyReply) {
    return this.forSession(request, reply, { type: 'TouchSession', sessionId: request.params.sessionId });
  }

  @Route('changeAttributes')
  changeAttributes(request: OfSession<AttributesBody>, reply: FastifyReply) {
    const { attributes, ...body } = named(request);
    const draft = { type: 'ChangeAttributes', ...body, attributesDigest: undefined } as const;
    const submission = this.submissions.forSession(anonymous, draft, keyedRequest(request));
    submission.patch = { json: JSON.parse(attributesJson(attributes)), salt: newSalt() };
    return this.execute(reply, submission);
  }

  @Route('changeHandles')
  changeHandles(request: OfSession<HandlesBody>, reply: FastifyReply) {
    const { bind = [], unbind = [], ...body } = named(request);
    // Together, so that none is bound and unbound at once.
    this.submissions.handles(anonymous, [...bind, ...unbind]);
    return this.forSession(request, reply, {
      type: 'ChangeHandles',
      ...body,
      bind: this.submissions.handles(anonymous, bind),
      unbind: this.submissions.handles(anonymous, unbind),
    });
  }

  private forSession(
    request: FastifyRequest,
    reply: FastifyReply,
    draft: Parameters<Submissions['forSession']>[1],
  ): Promise<void> {
    return this.execute(reply, this.submissions.forSession(anonymous, draft, keyedRequest(request)));
  }

  private async execute(reply: FastifyReply, submission: Submission): Promise<void> {
    const answer = await this.commands.execute(new Execute(submission));
    await this.presenter.answer(reply, answer, submission.details);
  }
}

/** How long a released session waits for the owner that it is meant for, unless the request says. */
const RESERVED_SECONDS = 60;

function named<Body extends object>({ params, body }: OfSession<Body>): Body & { sessionId: string } {
  return { ...(body as Body), sessionId: params.sessionId };
}
