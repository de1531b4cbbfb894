import { Command, InvalidArgumentError, Option } from 'commander';
import { isPrincipal, isTenant, Keys, noteOnce } from '#access';
import {
  type Answered,
  type Asked,
  callerOf,
  type Ledger,
  PERMISSIONS,
  type Permission,
  ProblemError,
  serving,
  unkeyed,
} from '#api';
import { operations } from '#api/schemas';
import { type AnswerOf, LedgerClient, type RequestOf } from '#client';
import { digest, newCommandId } from '#log';
import { databaseUrlOf } from '#postgres';
import { clientOptions } from '../client.js';
import { CommandFailed, exitCodes } from '../exit.js';
import { databaseUrl, jsonOption, timeSpan, urlOption } from '../options.js';
import { printJson, printLine, printTable } from '../output.js';
import { withDatabase } from '../with-database.js';

const examples = `
The secret of a key is shown once, on standard output. With --offline the keys are those in Postgres, at DATABASE_URL,
by its owner: that makes the first one. Otherwise by HTTP, with a key in LEDGER_TOKEN or LEDGER_TOKEN_FILE that has the
permission admin.

Examples:
  session-ledger keys create --offline --ledger-wide --permissions admin,audit --name operator
  session-ledger keys create --tenant acme --permissions read,write --environments cloud-dev --name "acme, cloud-dev"
  session-ledger keys list
  session-ledger keys rotate 4fGh2kLmN0 --overlap 24h
  session-ledger keys revoke 4fGh2kLmN0
  session-ledger keys revoke --offline --issuer https://id.example.com --subject worker-7
`;

const databaseOption = () =>
  new Option('--database-url <url>', "the ledger's Postgres, for --offline")
    .env('DATABASE_URL')
    .argParser(databaseUrl);

interface Place {
  url: string;
  databaseUrl?: string;
  offline?: true;
  json?: true;
}

type KeyOperation = 'createKey' | 'listKeys' | 'rotateKey' | 'revokeKey';
/** Asks for keys: over HTTP, or at Postgres. */
type Ask = <Id extends KeyOperation>(id: Id, request: RequestOf<Id>) => Promise<AnswerOf<Id>>;

interface CreateAsked {
  tenant?: string;
  ledgerWide?: true;
  permissions: Permission[];
  principal?: string;
  environments?: string[];
  name: string;
  expires?: number;
}

export function keys(): Command {
  const root = new Command('keys')
    .description('make, list, rotate and revoke the keys that a ledger is asked with')
    .addHelpText('after', examples);
  const command = (name: string, description: string) =>
    root
      .command(name)
      .description(description)
      .option('--offline', 'at Postgres, by its owner')
      .addOption(urlOption())
      .addOption(databaseOption())
      .addOption(jsonOption());
  command('create', 'make a key')
    .requiredOption('--permissions <list>', `of ${PERMISSIONS.join(', ')}, between commas`, permissionsOf)
    .requiredOption('--name <text>', 'for people')
    .option('--tenant <name>', 'whose sessions it reaches; without it none')
    .option('--ledger-wide', 'it may hold audit, and an admin of all keys')
    .option('--principal <name>', 'who asks by it, as the log says for good; made up when left out')
    .option('--environments <list>', 'those that it may name as owner or origin; any when left out', textsOf)
    .option('--expires <time>', 'such as 90d, 24h or 30m; never when left out', timeSpan)
    .action((asked: CreateAsked & Place) =>
      withKeys(asked, async (ask) => showSecret(await ask('createKey', { body: bodyOf(asked) }), asked.json)),
    );
  command('list', 'all keys that the credential reaches').action((place: Place) =>
    withKeys(place, (ask) => showList(ask, place.json)),
  );
  command('rotate', 'make another secret for the same principal')
    .argument('<keyId>')
    .option('--overlap <time>', 'so long the old secret counts besides', timeSpan, 86_400)
    .action((keyId: string, asked: { overlap: number } & Place) =>
      withKeys(asked, async (ask) => {
        const request = { params: { keyId }, body: { overlapSeconds: asked.overlap } };
        showSecret(await ask('rotateKey', request), asked.json);
      }),
    );
  command('revoke', 'let a key count no more, or the tokens of a subject that were issued until now')
    .argument('[keyId]')
    .option('--issuer <url>', 'of the tokens; with --offline')
    .option('--subject <name>', 'of the tokens; with --offline')
    .action(revoke);
  return root;
}

async function revoke(
  keyId: string | undefined,
  asked: Place & { issuer?: string; subject?: string },
): Promise<void> {
  const { issuer, subject } = asked;
  if (issuer !== undefined && subject !== undefined && keyId === undefined) {
    if (!asked.offline) throw new CommandFailed('tokens are revoked with --offline', exitCodes.usage);
    await withDatabase(urlOf(asked), async (pool) => {
      await new Keys(pool).revokeSubject(issuer, subject);
      await noteOffline(pool, 'revoke tokens', 200);
    });
    return printLine('revoked: tokens of this subject that are issued from now on count');
  }
  if (keyId === undefined) throw new CommandFailed('name a key, or --issuer and --subject', exitCodes.usage);
  await withKeys(asked, async (ask) => {
    const key = await ask('revokeKey', { params: { keyId } });
    if (asked.json) printJson(key);
    else printLine(`${key.keyId} (${key.name}) is revoked, on every replica within a second`);
  });
}

async function withKeys(place: Place, work: (ask: Ask) => Promise<void>): Promise<void> {
  if (!place.offline) {
    const ledger = new LedgerClient(clientOptions(place.url));
    return work((id, request) => ledger.call(id, request));
  }
  await withDatabase(urlOf(place), (pool) => work(atPostgres(pool)));
}

function urlOf({ databaseUrl }: Place): string {
  const url = databaseUrl ?? databaseUrlOf(process.env);
  if (url !== undefined) return url;
  throw new CommandFailed('--offline needs DATABASE_URL or DATABASE_URL_FILE', exitCodes.usage);
}

/** Whoever owns the database may make any key. */
const owner = callerOf({ tenant: '', principal: 'database-owner', permissions: ['admin'], ledgerWide: true });

type Queried = Parameters<Parameters<typeof withDatabase>[1]>[0];

/** In the same log as what came over HTTP. Postgres itself knows who the owner was. */
async function noteOffline(pool: Queried, operation: string, status: number): Promise<void> {
  const { principal } = owner;
  const by = { credential: 'database', principal, tenant: '', address: 'offline' };
  await noteOnce(pool, { at: new Date(), status, operation, ...by });
}

/** The operations as the service serves them, on the table itself. */
function atPostgres(pool: Queried): Ask {
  const ledger = { keys: new Keys(pool), digest, newCommandId } as unknown as Ledger;
  return async <Id extends KeyOperation>(id: Id, request: RequestOf<Id>) => {
    const asked = { ...unkeyed(owner), query: {}, ...request } as unknown as Asked<KeyOperation>;
    const serve = serving[id] as (asked: Asked<KeyOperation>, ledger: Ledger) => Promise<Answered>;
    try {
      const answered = await serve(asked, ledger);
      const { method, path } = operations[id];
      const route = path.replace(/\{(\w+)\}/g, ':$1');
      if (id !== 'listKeys') await noteOffline(pool, `${method} ${route}`, answered.status ?? 200);
      return answered.body as AnswerOf<Id>;
    } catch (error) {
      if (error instanceof ProblemError) throw new CommandFailed(error.detail ?? error.message);
      throw error;
    }
  };
}

function bodyOf({ tenant, ledgerWide, permissions, principal, environments, name, expires }: CreateAsked) {
  if (tenant !== undefined && !isTenant(tenant)) {
    throw new CommandFailed('--tenant has to be of A-Z, a-z, 0-9, . _ ~ and -, at most 64', exitCodes.usage);
  }
  if (principal !== undefined && !isPrincipal(principal)) {
    throw new CommandFailed(
      '--principal has to be printable ASCII without quotes, at most 256',
      exitCodes.usage,
    );
  }
  return {
    ...{ permissions, name },
    ...(tenant !== undefined && { tenant }),
    ...(ledgerWide && { ledgerWide }),
    ...(principal !== undefined && { principal }),
    ...(environments && { environments }),
    ...(expires !== undefined && { expiresInSeconds: expires }),
  };
}

/** The secret alone on standard output, so that it can go into a file; what else there is to know beside it. */
function showSecret({ secret, key }: AnswerOf<'createKey'>, json: boolean | undefined): void {
  if (json) {
    printJson({ secret, key });
    return;
  }
  process.stderr.write(
    `${key.keyId} (${key.name}), principal ${key.principal}. Its secret, shown this once:\n`,
  );
  printLine(secret);
}

async function showList(ask: Ask, json: boolean | undefined): Promise<void> {
  const rows: string[][] = [];
  for (let after: string | undefined, isMore = true; isMore; isMore = after !== undefined) {
    const page: AnswerOf<'listKeys'> = await ask('listKeys', {
      query: { limit: 500, ...(after !== undefined && { after }) },
    });
    if (json) page.keys.forEach(printJson);
    else rows.push(...page.keys.map(rowOf));
    after = page.next;
  }
  if (!json) printTable(['key', 'name', 'tenant', 'principal', 'permissions', 'used', 'ends'], rows);
}

function rowOf(key: AnswerOf<'revokeKey'>): string[] {
  const tenant = [key.ledgerWide ? 'ledger-wide' : '', key.tenant ?? ''].filter(Boolean).join(', ');
  const ends = key.revokedAt ? `revoked ${key.revokedAt}` : (key.expiresAt ?? '');
  return [key.keyId, key.name, tenant, key.principal, key.permissions.join(','), key.usedOn ?? '', ends];
}

function textsOf(text: string): string[] {
  return text.split(',').filter((one) => one !== '');
}

function permissionsOf(text: string): Permission[] {
  const wrong = textsOf(text).find((one) => !PERMISSIONS.includes(one as Permission));
  if (wrong === undefined) return textsOf(text) as Permission[];
  throw new InvalidArgumentError(`${wrong} is none of ${PERMISSIONS.join(', ')}.`);
}
