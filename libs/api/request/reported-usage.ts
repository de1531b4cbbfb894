import { decimalOf, type Money, placesOf, plainDecimal, type Usage } from '#session';
import { ProblemError } from '../problems/problem-error.js';

/** Usage as a request states it: its cost also as a JSON number, or with an exponent. */
export type ReportedUsage = Omit<Usage, 'cost'> & {
  cost?: Omit<Money, 'amount'> & { amount: string | number };
};

/** Digits that an amount may have before the point, and after it: the double of any sum of prices per token fits. */
const MOST_WHOLE = 18;
const MOST_FRACTION = 30;

/** A body as a fingerprint takes it: a cost counts by its value. Throws `invalid-request` as `usageOf` does. */
export function meantBy(body: unknown): unknown {
  const { usage } = (body ?? {}) as { usage?: ReportedUsage };
  return usage?.cost ? { ...(body as object), usage: usageOf(usage) } : body;
}

/** Usage as it is kept: an amount has no exponent, and no needless zeros. Throws `invalid-request` for too many digits. */
export function usageOf({ cost, ...usage }: ReportedUsage): Usage {
  if (!cost) return usage;
  const amount = decimalOf(String(cost.amount));
  const { whole, fraction } = placesOf(amount);
  if (whole > MOST_WHOLE || fraction > MOST_FRACTION) {
    throw new ProblemError(
      'invalid-request',
      `body.usage.cost.amount has to have at most ${MOST_WHOLE} digits before the point and ${MOST_FRACTION} after it`,
    );
  }
  return { ...usage, cost: { ...cost, amount: plainDecimal(amount) } };
}
