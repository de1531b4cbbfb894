import type { LeaseTerms } from '#session';

const GRACE_SECONDS = 60;

/** A lease as a request states it. */
export type LeaseRequest = Partial<LeaseTerms> & { seconds: number };

/** With what the request left out. */
export function leaseTerms(lease: LeaseRequest): LeaseTerms {
  return { graceSeconds: GRACE_SECONDS, renewOn: 'heartbeat', onLapse: 'release', ...lease };
}
