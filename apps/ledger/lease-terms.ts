import type { LeaseTerms } from '#session';

const GRACE_SECONDS = 60;

/** A lease as a request states it, with what it left out. */
export function leaseTerms(lease: Partial<LeaseTerms> & { seconds: number }): LeaseTerms {
  return { graceSeconds: GRACE_SECONDS, renewOn: 'heartbeat', onLapse: 'release', ...lease };
}
