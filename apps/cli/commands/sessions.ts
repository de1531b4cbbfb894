import { Command, Option } from 'commander';
import { type AnswerOf, CURRENT_STATUSES, LedgerClient, type Operations } from '#client';
import { clientOptions } from '../client.js';
import { CommandFailed, exitCodes } from '../exit.js';
import { jsonOption, timeSpan, urlOption, wholeNumber } from '../options.js';
import { printJson, printLine, printTable } from '../output.js';
import { inWords } from '../show-session.js';

const examples = `
With a user: all sessions of the user's project, ended ones included, the newest first; session-ledger chain shows how they
followed one another. Without a user: all current sessions of the tenant, or those that the options select.

Examples:
  session-ledger sessions ada captions
  session-ledger sessions ada captions --version-id v42
  session-ledger sessions ada --json | jq -r 'select(.status != "ended") | .sessionId'
  session-ledger sessions --environment cloud-dev --older-than 7d
  session-ledger sessions --lease-within 10m --sort lease
  session-ledger sessions --status released --json | jq -r .sessionId
`;

const PAGE = 500;
/** As a table at most so many; more are for programs. */
const MOST_ROWS = 10_000;

type Listed = AnswerOf<'sessions'>['sessions'][number];
type Filter = NonNullable<Operations['listCurrent']['query']>;

interface Options {
  url: string;
  json?: boolean;
  versionId?: string;
  environment?: string;
  instance?: string;
  status?: NonNullable<Filter['status']>;
  project?: string;
  olderThan?: number;
  leaseWithin?: number;
  resetAdvised?: boolean;
  sort?: NonNullable<Filter['sort']>;
  limit?: number;
}

export function sessions(): Command {
  return new Command('sessions')
    .description("all sessions of a user's project, ended ones included; without a user all current sessions")
    .argument('[userId]')
    .argument('[projectId]', "'default' when left out")
    .option('--version-id <id>', 'only sessions made for this version')
    .option('--environment <name>', 'current sessions that this environment owns')
    .option('--instance <name>', 'current sessions that this instance owns')
    .addOption(new Option('--status <status>', 'current sessions with this status').choices(CURRENT_STATUSES))
    .option('--project <id>', 'current sessions of this project, of all users')
    .option('--older-than <time>', 'current sessions older than this, such as 7d', timeSpan)
    .option(
      '--lease-within <time>',
      'current sessions whose lease ends within this time unless it is renewed',
      timeSpan,
    )
    .option('--reset-advised', 'current sessions that should be reset')
    .addOption(
      new Option('--sort <order>', 'order of the current sessions; newest by default').choices([
        ...(['newest', 'oldest', 'lease'] as const),
      ]),
    )
    .option('--limit <count>', 'at most this many of the current sessions', wholeNumber(1, 1_000_000))
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((userId: string | undefined, projectId: string | undefined, options: Options) => {
      const ledger = new LedgerClient(clientOptions(options.url));
      const filter = filterOf(options);
      const isFiltered = Object.keys(filter).length > 0;
      if (userId === undefined) {
        if (options.versionId !== undefined && isFiltered)
          throw new CommandFailed(
            '--version-id goes without the options for current sessions',
            exitCodes.usage,
          );
        return showCurrent(current(ledger, filter, options), options.json);
      }
      if (isFiltered || options.limit !== undefined)
        throw new CommandFailed(
          'the options for current sessions cannot be combined with a user',
          exitCodes.usage,
        );
      const { versionId } = options;
      const query = { userId, projectId: projectId ?? 'default', ...(versionId && { versionId }) };
      return showOfUser(ofUser(ledger, query), options.json);
    });
}

function filterOf(options: Options): Filter {
  const { environment, instance, status, project, olderThan, leaseWithin, resetAdvised, sort } = options;
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
  return {
    ...(environment !== undefined && { environment }),
    ...(instance !== undefined && { instance }),
    ...(status && { status }),
    ...(project !== undefined && { projectId: project }),
    ...(olderThan !== undefined && { before: inSeconds(-olderThan) }),
    ...(leaseWithin !== undefined && { leaseBefore: inSeconds(leaseWithin) }),
    ...(resetAdvised && { resetAdvised }),
    ...(sort && { sort }),
  };
}

async function* ofUser(
  ledger: LedgerClient,
  query: { userId: string; projectId: string; versionId?: string },
): AsyncGenerator<Listed> {
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page: AnswerOf<'sessions'> = await ledger.call('sessions', {
      query: { ...query, limit: PAGE, ...(after && { after }) },
    });
    yield* page.sessions;
    after = page.next;
  }
}

/** The tenant's current sessions, or those of a version, which may have ended. */
async function* current(
  ledger: LedgerClient,
  filter: Filter,
  { versionId, limit = Number.POSITIVE_INFINITY }: Options,
): AsyncGenerator<Listed> {
  let left = limit;
  for (let next: string | undefined = ''; next !== undefined && left > 0; ) {
    const paged = { limit: Math.min(PAGE, left), ...(next && { next }) };
    const page: AnswerOf<'listCurrent'> =
      versionId === undefined
        ? await ledger.call('listCurrent', { query: { ...filter, ...paged } })
        : await ledger.call('versionSessions', { query: { versionId, ...paged } });
    yield* page.sessions;
    left -= page.sessions.length;
    next = page.next;
  }
}

async function showOfUser(found: AsyncIterable<Listed>, json: boolean | undefined): Promise<void> {
  await show(found, json, 'there is no session here yet', {
    session: ({ sessionId }) => sessionId,
    status: inWords,
    owner: ownerOf,
    started: ({ startedAt }) => startedAt,
    ended: ({ endedAt }) => endedAt,
    reason: ({ reason }) => reason,
    version: ({ versionId }) => versionId,
  });
}

async function showCurrent(found: AsyncIterable<Listed>, json: boolean | undefined): Promise<void> {
  await show(found, json, 'there is no such session', {
    session: ({ sessionId }) => sessionId,
    user: ({ scope }) => scope.userId,
    project: ({ scope }) => scope.projectId,
    status: inWords,
    owner: ownerOf,
    started: ({ startedAt }) => startedAt,
    'lease until': ({ lease }) => lease?.expiresAt,
    advice: ({ resetAdvised }) => (resetAdvised ? 'reset' : undefined),
  });
}

function ownerOf({ owner }: Listed): string | undefined {
  return owner && [owner.environment, owner.instance].filter(Boolean).join(' / ');
}

async function show(
  found: AsyncIterable<Listed>,
  json: boolean | undefined,
  ifNone: string,
  columns: Record<string, (session: Listed) => string | undefined>,
): Promise<void> {
  const rows: Listed[] = [];
  for await (const session of found) {
    if (json) printJson(session);
    else if (rows.push(session) === MOST_ROWS) break;
  }
  if (json) return;
  if (rows.length === 0) return printLine(ifNone);
  printTable(
    Object.keys(columns),
    rows.map((session) => Object.values(columns).map((cellOf) => cellOf(session))),
  );
  if (rows.length === MOST_ROWS) printLine(`and perhaps more: these are ${MOST_ROWS}; --json gives all`);
}
