import { Type } from 'typebox';
import { CommandAnswer, commands } from './commands.js';
import { NAME, named } from './components.js';
import { ada, owner, sessionId } from './examples.js';
import { closed, command, type Operation, read, reader, ScopeQuery, sent, writer } from './operation.js';
import { Problem } from './problem.js';
import { GivenId, Handle, Session } from './values.js';

/** Most in one request. */
const MOST = 500;

/** The operations that may be sent as one of many. */
export const COMMANDS = Object.keys(commands) as (keyof typeof commands)[];

/** Looser than what each operation takes: what is wrong with one is no problem of the others. */
const SentCommand = named(
  'SentCommand',
  {
    operation: Type.String({
      minLength: 1,
      maxLength: 64,
      description: `One of ${COMMANDS.join(', ')}`,
      examples: ['startSession'],
    }),
    sessionId: Type.Optional(
      Type.String({ maxLength: 64, description: 'For every operation except startSession' }),
    ),
    body: Type.Optional(
      Type.Object({}, { additionalProperties: true, description: 'The body of the single operation' }),
    ),
    idempotencyKey: Type.Optional(
      Type.String({ description: '1 to 256 characters; each command has its own' }),
    ),
  },
  closed,
);

export const CommandsBody = named(
  'CommandsBody',
  { commands: Type.Array(SentCommand, { minItems: 1, maxItems: MOST, description: `from 1 to ${MOST}` }) },
  closed,
);

const Status = Type.Integer({ description: 'The status of the single operation' });

const ManyAnswers = named('ManyAnswers', {
  answers: Type.Array(
    Type.Union([
      Type.Intersect(
        [
          CommandAnswer,
          Type.Object({
            status: Status,
            replayed: Type.Optional(
              Type.Literal(true, { description: 'This is the earlier answer for the same key' }),
            ),
          }),
        ],
        { [NAME]: 'OneAnswer' },
      ),
      Problem,
    ]),
    { description: 'One per command, in the order of the commands' },
  ),
});

const Named = Type.Union([ScopeQuery, Type.Object({ sessionId: GivenId }, closed), Handle]);

export const CurrentBody = named(
  'CurrentBody',
  {
    of: Type.Array(Named, {
      minItems: 1,
      maxItems: MOST,
      description: `from 1 to ${MOST}: scopes, or sessions or handles whose scope is meant`,
    }),
  },
  closed,
);

const ManyCurrent = named('ManyCurrent', {
  answers: Type.Array(Type.Union([Type.Object({ status: Status, session: Session }), Problem]), {
    description: 'One per element, in the order of the request',
  }),
});

/** What is asked many times in one request. */
export const many = {
  sendCommands: {
    method: 'POST',
    path: '/v1/commands',
    needs: writer,
    summary: `Send up to ${MOST} commands: each is decided by itself, those of a scope in the order given`,
    ...sent(CommandsBody, {
      commands: [{ operation: 'startSession', body: { ...ada, owner }, idempotencyKey: 'start-1' }],
    }),
    answers: { 200: { description: 'an answer or a problem for each command', schema: ManyAnswers } },
    problems: command.filter((code) => code !== 'key-reused'),
  },
  currentSessions: {
    method: 'POST',
    path: '/v1/current',
    needs: reader,
    reads: true,
    summary: `The current sessions of up to ${MOST} scopes`,
    ...sent(CurrentBody, { of: [ada, { sessionId }, { kind: 'mcp-transport', value: 'b7f1' }] }),
    answers: { 200: { description: 'a session or a problem for each element', schema: ManyCurrent } },
    problems: ['invalid-json', 'body-too-large', 'unsupported-media-type', ...read],
  },
} as const satisfies Record<string, Operation>;
