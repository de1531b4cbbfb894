import { Controller, Req, Res } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type {
  ActivateBody,
  AttributesBody,
  CheckpointBody,
  ClaimBody,
  EndBody,
  HandlesBody,
  InvalidBody,
  ReleaseBody,
  RotateBody,
  StartBody,
  UsageBody,
} from '#contracts';
import { newSalt, type Submission } from '#log';
import { attributesJson, drafts, type SessionRequests } from '#protocol';
import { anonymous } from '../caller.js';
import { Execute } from '../execute.js';
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
  start(@Req() request: FastifyRequest<{ Body: StartBody }>, @Res() reply: FastifyReply) {
    return this.execute(reply, this.submissions.start(anonymous, request.body, keyedRequest(request)));
  }

  @Route('activateSession')
  activate(@Req() request: OfSession<ActivateBody>, @Res() reply: FastifyReply) {
    return this.forSession('activateSession', request, reply);
  }

  @Route('rotateSession')
  rotate(@Req() request: OfSession<RotateBody>, @Res() reply: FastifyReply) {
    return this.forSession('rotateSession', request, reply);
  }

  @Route('releaseOwnership')
  release(@Req() request: OfSession<ReleaseBody>, @Res() reply: FastifyReply) {
    return this.forSession('releaseOwnership', request, reply);
  }

  @Route('claimOwnership')
  claim(@Req() request: OfSession<ClaimBody>, @Res() reply: FastifyReply) {
    return this.forSession('claimOwnership', request, reply);
  }

  @Route('endSession')
  end(@Req() request: OfSession<EndBody>, @Res() reply: FastifyReply) {
    return this.forSession('endSession', request, reply);
  }

  @Route('touchSession')
  touch(@Req() request: OfSession<object>, @Res() reply: FastifyReply) {
    return this.forSession('touchSession', request, reply);
  }

  @Route('changeAttributes')
  changeAttributes(@Req() request: OfSession<AttributesBody>, @Res() reply: FastifyReply) {
    const { attributes, ...body } = request.body;
    const { sessionId } = request.params;
    const draft = { type: 'ChangeAttributes', ...body, sessionId, attributesDigest: undefined } as const;
    const submission = this.submissions.forSession(anonymous, draft, keyedRequest(request));
    submission.patch = { json: JSON.parse(attributesJson(attributes)), salt: newSalt() };
    return this.execute(reply, submission);
  }

  @Route('changeHandles')
  changeHandles(@Req() request: OfSession<HandlesBody>, @Res() reply: FastifyReply) {
    return this.forSession('changeHandles', request, reply);
  }

  @Route('recordUsage')
  recordUsage(@Req() request: OfSession<UsageBody>, @Res() reply: FastifyReply) {
    return this.forSession('recordUsage', request, reply);
  }

  @Route('markCheckpoint')
  markCheckpoint(@Req() request: OfSession<CheckpointBody>, @Res() reply: FastifyReply) {
    return this.forSession('markCheckpoint', request, reply);
  }

  @Route('reportInvalid')
  reportInvalid(@Req() request: OfSession<InvalidBody>, @Res() reply: FastifyReply) {
    return this.forSession('reportInvalid', request, reply);
  }

  private forSession<Id extends keyof SessionRequests>(
    id: Id,
    request: OfSession<SessionRequests[Id]>,
    reply: FastifyReply,
  ): Promise<void> {
    const { params, body } = request;
    const draft = drafts[id](
      params.sessionId,
      body as SessionRequests[Id],
      this.submissions.naming(anonymous),
    );
    return this.execute(reply, this.submissions.forSession(anonymous, draft, keyedRequest(request)));
  }

  private async execute(reply: FastifyReply, submission: Submission): Promise<void> {
    const answer = await this.commands.execute(new Execute(submission));
    await this.presenter.answer(reply, answer, submission.details);
  }
}
