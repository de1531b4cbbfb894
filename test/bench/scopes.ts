import { randomInt } from 'node:crypto';
import type { StartBody } from '#api/schemas';

/** Scopes that the workloads draw from: far more than commands, as in life most are asked for rarely. */
export const SCOPES = 1_000_000;

/** Numbers of scopes to draw from: from the first to before the second. */
export type Range = readonly [from: number, to: number];

export const ALL: Range = [0, SCOPES];
/** Far beyond those: nobody has ever had a session there. */
export const NEW: Range = [SCOPES, 1_000 * SCOPES];

const projects = ['default', 'captions', 'acme/web', 'acme/api.v2'];

/** The `n`th scope: an opaque user id, and one of four projects, half of which need percent-encoding. */
export function scopeNumber(n: number): { userId: string; projectId: string } {
  return {
    userId: `usr_${(n >> 2).toString(36).padStart(16, '0')}`,
    projectId: projects[n & 3]!,
  };
}

/** What a client sends to start a session in the `n`th scope. */
export function startBody(n: number): StartBody {
  const { userId, projectId } = scopeNumber(n);
  return {
    userId,
    projectId,
    owner: { environment: `cloud-${n % 16}`, instance: `worker-${randomInt(1_000)}` },
    onConflict: 'supersede',
  };
}
