import { addDecimals } from './decimal.js';

/** An amount of money: exact, never a float. */
export interface Money {
  /** Decimal, not negative, without an exponent: up to 18 digits before the point and 30 after it. */
  amount: string;
  /** ISO 4217: three capital letters. */
  currency: string;
}

/** What one operation used, as it was reported. Counts are integers from 0 to 2^53-1. */
export interface Usage {
  inputTokens?: number;
  outputTokens?: number;
  /** Those of the input that came from a cache. */
  cachedTokens?: number;
  durationMs?: number;
  cost?: Money;
  /** 1 to 128 characters. */
  model?: string;
}

/** The sums of a session's reports: exact, and of a size that does not grow with their number. */
export interface UsageTotals {
  /** How many reports there were. */
  operations: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  durationMs: number;
  /** By currency, which are never added to each other: at most 8. Decimals with up to 18 digits before the point. */
  cost: Record<string, string>;
}

const MOST_CURRENCIES = 8;
const MOST_WHOLE_DIGITS = 18;

const nothing: UsageTotals = {
  operations: 0,
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  durationMs: 0,
  cost: {},
};

/** The sums after one more report; or why there can be none. A count stays below 2^53. */
export function addUsage(
  totals: UsageTotals = nothing,
  usage: Usage,
): UsageTotals | 'usage-overflow' | 'too-many-currencies' {
  const cost = addCost(totals.cost, usage.cost);
  if (typeof cost === 'string') return cost;
  const sums: UsageTotals = {
    operations: totals.operations + 1,
    inputTokens: totals.inputTokens + (usage.inputTokens ?? 0),
    outputTokens: totals.outputTokens + (usage.outputTokens ?? 0),
    cachedTokens: totals.cachedTokens + (usage.cachedTokens ?? 0),
    durationMs: totals.durationMs + (usage.durationMs ?? 0),
    cost,
  };
  const { operations, inputTokens, outputTokens, cachedTokens, durationMs } = sums;
  const counts = [operations, inputTokens, outputTokens, cachedTokens, durationMs];
  return counts.every(Number.isSafeInteger) ? sums : 'usage-overflow';
}

function addCost(
  cost: UsageTotals['cost'],
  more: Money | undefined,
): UsageTotals['cost'] | 'usage-overflow' | 'too-many-currencies' {
  if (!more) return cost;
  const before = Object.hasOwn(cost, more.currency) ? cost[more.currency] : undefined;
  if (before === undefined && Object.keys(cost).length >= MOST_CURRENCIES) return 'too-many-currencies';
  const sum = addDecimals(before ?? '0', more.amount);
  const [whole = ''] = sum.split('.', 1);
  return whole.length > MOST_WHOLE_DIGITS ? 'usage-overflow' : { ...cost, [more.currency]: sum };
}
