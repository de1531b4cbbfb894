/** Why a command is refused, in words for whoever sent it. */
interface RefusalKind {
  title: string;
  /** What to do about it, where the title does not say it. */
  advice?: string;
  /** Time takes it away: the same command may be obeyed later. */
  passes?: true;
}

/** The one table of refusals: every code that a command can be refused with, and how it is explained. */
const table = {
  'stale-epoch': {
    title: 'The owner or the session has changed since that epoch',
    advice: 'Read the current session. If it is still yours, repeat the command with its epoch.',
  },
  'stale-session': {
    title: 'Another session is current',
    advice: 'This session has ended for good. Use the one in `current`.',
  },
  'future-epoch': {
    title: 'The ledger has not reached this epoch',
    advice: 'The ledger was restored to an earlier state, or the epoch was made up. Nothing was done.',
  },
  'session-active': {
    title: 'The scope has a current session',
    advice: 'Use onConflict "supersede" or "join", or end the current session first.',
  },
  'session-not-active': { title: 'The session has no active owner' },
  'session-ending': {
    title: 'The session is ending',
    advice: 'Wait until the session has ended: when its owner confirms it, or when its drain time is over.',
    passes: true,
  },
  'session-ended': {
    title: 'The session has ended and none is current',
    advice: 'Start a new session; an ended one never comes back.',
  },
  reserved: {
    title: 'The session is reserved for another owner',
    advice: 'Wait until the reservation is over, or let the owner that it names claim the session.',
    passes: true,
  },
  'no-lease': { title: 'The session has no lease to renew' },
  'not-owner': {
    title: 'The session has another owner',
    advice: 'Ask the owner to release the session, or start a new one in its place.',
  },
  'handle-taken': {
    title: 'The handle is already bound to something else',
    advice: 'A handle names one scope or one session. Unbind it there first, or use another one.',
  },
  'too-many-handles': {
    title: 'The session has too many handles',
    advice: 'Unbind one of its 8 handles before you bind another one.',
  },
  'operate-required': { title: 'This needs the operate permission' },
  'chain-too-long': {
    title: 'The chain has reached the length that its policy allows',
    advice: 'Rotate with reason "reset": it starts a new chain and is always allowed.',
  },
  'usage-overflow': {
    title: 'The usage totals would be too large',
    advice: 'Nothing was recorded. Counts stay below 2^53, costs below 10^18.',
  },
  'too-many-currencies': {
    title: 'The session already has costs in eight currencies',
    advice: 'Nothing was recorded. Report the cost in one of the currencies of the session.',
  },
  'session-invalid': {
    title: 'The session was reported invalid',
    advice: 'Choose another session, or start without a checkpoint.',
  },
  'unknown-checkpoint': { title: 'The scope has no such checkpoint' },
  'checkpoint-taken': {
    title: 'The label names a checkpoint of another session',
    advice: 'Checkpoints never move: choose another label.',
  },
  'too-many-checkpoints': {
    title: 'The scope already has 100 checkpoints',
    advice: 'Checkpoints cannot be removed: mark only sessions that are worth returning to.',
  },
} as const satisfies Record<string, RefusalKind>;

export type RefusalCode = keyof typeof table;
export const refusals: Readonly<Record<RefusalCode, RefusalKind>> = table;
export const REFUSALS = Object.keys(table) as RefusalCode[];
