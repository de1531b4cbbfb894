import { Command } from 'commander';
import { type AnswerOf, LedgerClient } from '#client';
import { clientOptions } from '../client.js';
import { jsonOption, urlOption } from '../options.js';
import { alarming, printFields, printJson, printLine, printTable } from '../output.js';

const examples = `
Examples:
  session-ledger stats
  session-ledger stats --consumer editor-1
  session-ledger stats --json | jq .projection.behind
`;

/** Of those that are out of sync. */
const MOST_ROWS = 100;

type Stats = AnswerOf<'stats'>;

export function stats(): Command {
  return new Command('stats')
    .description('figures, and which consumers hold a session that is not current')
    .option('--consumer <name>', 'show only this consumer')
    .addOption(urlOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(async ({ url, consumer, json }) => {
      const query = { limit: MOST_ROWS, ...(consumer && { consumer }) };
      const found = await new LedgerClient(clientOptions(url)).call(
        'stats',
        { query },
        { deadlineMs: 10_000 },
      );
      if (json) printJson(found);
      else show(found);
    });
}

/** Absent: the ledger is of a version that does not count them. */
function currentInWords(current: Stats['current'] | undefined): string | undefined {
  if (!current) return undefined;
  const statuses = Object.entries(current.byStatus).filter(([, count]) => count > 0);
  const parts = statuses.map(([status, count]) => `${count} ${status}`);
  return `${current.total} ${current.total === 1 ? 'session' : 'sessions'}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`;
}

function show({ ledger, projection, sync, current, relay, replicas }: Stats): void {
  printFields({
    // Of the whole ledger, so only for who may audit it.
    ledger: ledger?.source,
    events: ledger && `${ledger.events} in ${ledger.partitions} partitions`,
    'read models': projection && (projection.behind ? `${projection.behind} events behind` : 'up to date'),
    current: currentInWords(current),
    kafka: relay && (relay.held ? `${relay.behind} events behind` : 'no replica relays'),
    replicas: replicas?.length,
    'in sync': `${sync.inSync} of ${sync.inSync + sync.outOfSync + sync.unknown} reports`,
    restores: ledger?.restores || undefined,
  });
  if (sync.list.length === 0) return;
  printLine('');
  printTable(
    ['consumer', 'user', 'project', 'state', 'since', 'holds', 'current'],
    sync.list.map(({ consumer, userId, projectId, state, since, sessionId, currentId }) => {
      return [consumer, userId, projectId, alarming(state), since, sessionId, currentId];
    }),
  );
  if (sync.next) printLine(`and more: these are the first ${MOST_ROWS}; --consumer shows those of one`);
}
