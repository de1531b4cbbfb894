import { Controller } from '@nestjs/common';
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
import { sendAnswer } from './answers.js';
import { keyedRequest } from './request-key.js';
import { Route } from './route.js';

type OfSession<Body> = FastifyRequest<{ Params: { sessionId: string }; Body: Body }>;

/** The routes that change something: each turns its request into one command. */
@Controller()
export class CommandsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly submissions: Submissions,
  ) {}

  @Route('startSession')
  start(request: FastifyRequest<{ Body: StartBody }>, reply: FastifyReply) {
    return this.execute(
      reply,
      this.submissions.start(anonymous, request.body, keyedRequest('startSession', request)),
    );
  }

  @Route('activateSession')
  activate(request: OfSession<ActivateBody>, reply: FastifyReply) {
    return this.forSession('activateSession', request, reply);
  }

  @Route('rotateSession')
  rotate(request: OfSession<RotateBody>, reply: FastifyReply) {
    return this.forSession('rotateSession', request, reply);
  }

  @Route('releaseOwnership')
  release(request: OfSession<ReleaseBody>, reply: FastifyReply) {
    return this.forSession('releaseOwnership', request, reply);
  }

  @Route('claimOwnership')
  claim(request: OfSession<ClaimBody>, reply: FastifyReply) {
    return this.forSession('claimOwnership', request, reply);
  }

  @Route('endSession')
  end(request: OfSession<EndBody>, reply: FastifyReply) {
    return this.forSession('endSession', request, reply);
  }

  @Route('touchSession')
  touch(request: OfSession<object>, reply: FastifyReply) {
    return this.forSession('touchSession', request, reply);
  }

  @Route('changeAttributes')
  changeAttributes(request: OfSession<AttributesBody>, reply: FastifyReply) {
    const { attributes, ...body } = request.body;
    const { sessionId } = request.params;
    const draft = { type: 'ChangeAttributes', ...body, sessionId, attributesDigest: undefined } as const;
    const patch = { json: JSON.parse(attributesJson(attributes)), salt: newSalt() };
    const keyed = keyedRequest('changeAttributes', request);
    const submission = { ...this.submissions.forSession(anonymous, draft, keyed), patch };
    return this.execute(reply, submission);
  }

  @Route('changeHandles')
  changeHandles(request: OfSession<HandlesBody>, reply: FastifyReply) {
    return this.forSession('changeHandles', request, reply);
  }

  @Route('recordUsage')
  recordUsage(request: OfSession<UsageBody>, reply: FastifyReply) {
    return this.forSession('recordUsage', request, reply);
  }

  @Route('markCheckpoint')
  markCheckpoint(request: OfSession<CheckpointBody>, reply: FastifyReply) {
    return this.forSession('markCheckpoint', request, reply);
  }

  @Route('reportInvalid')
  reportInvalid(request: OfSession<InvalidBody>, reply: FastifyReply) {
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
    return this.execute(reply, this.submissions.forSession(anonymous, draft, keyedRequest(id, request)));
  }

  private async execute(reply: FastifyReply, submission: Submission): Promise<void> {
    sendAnswer(reply, await this.commands.execute(new Execute(submission)));
  }
}
