import {
  hashesOf,
  parseTilePath,
  type Range,
  rangesOfConsistency,
  rangesOfInclusion,
  tlogProofText,
  toBase64,
  widthAt,
} from '#tlog';
import type { Answered, Serving } from '../asked.js';
import type { Ledger, TreeHead } from '../ledger.port.js';
import { ProblemError } from '../problems/problem-error.js';
import { aheadOfLog } from '../request/event-ids.js';
import { checkedPartition } from '../request/positions.js';

type Audit =
  | 'auditKeys'
  | 'auditCheckpoints'
  | 'auditCheckpoint'
  | 'auditPartition'
  | 'auditTile'
  | 'auditKept'
  | 'auditProof'
  | 'auditConsistency';

/** A tile is what it is for good. */
const FOR_GOOD = { 'cache-control': 'private, max-age=31536000, immutable' };

/** The log as somebody checks it who does not trust it. */
export const audit: Pick<Serving, Audit> = {
  auditKeys: (_, { trees: { name, keys } }) => ({ body: { origin: name, keys } }),
  async auditCheckpoints(_, { trees }) {
    const heads = await trees.heads();
    return { body: { checkpoints: heads.map((head) => trees.note(head)) } };
  },
  auditCheckpoint: ({ query: { partition } }, ledger) =>
    checkpointOf(checkedPartition(partition, ledger.partitions, 'query.partition'), ledger),
  auditPartition: ({ params }, ledger) => checkpointOf(existing(params.partition, ledger), ledger),
  async auditTile({ params }, ledger) {
    const { trees } = ledger;
    const partition = existing(params.partition, ledger);
    const place = parseTilePath(params.tile);
    if (!place) throw new ProblemError('not-found');
    let { size } = await headOf(partition, ledger);
    if (widthAt(place, size) < place.width) ({ size } = await trees.headNow(partition));
    if (widthAt(place, size) < place.width) throw new ProblemError('not-found');
    const [tile] = await trees.tiles(partition, size, [place]);
    return { bytes: tile as Uint8Array, headers: FOR_GOOD };
  },
  async auditKept({ query: { partition, before = Number.MAX_SAFE_INTEGER, limit = 100 } }, ledger) {
    const checkpoints = await ledger.trees.kept(
      checkedPartition(partition, ledger.partitions, 'query.partition'),
      before,
      limit,
    );
    const next = checkpoints.length === limit ? checkpoints.at(-1)?.size : undefined;
    return { body: { checkpoints, ...(next && { next }) } };
  },
  async auditProof({ query: { position } }, ledger) {
    const [of, digits] = position.split(':');
    const partition = checkedPartition(Number(of), ledger.partitions, 'query.position');
    const sequence = Number(digits);
    if (sequence < 1 || !Number.isSafeInteger(sequence))
      throw new ProblemError(
        'invalid-request',
        'query.position has to name an event: they are counted from 1',
      );
    const head = await headOf(partition, ledger, sequence);
    const hashes = await hashesIn(head, rangesOfInclusion(sequence - 1, head.size), ledger);
    const checkpoint = ledger.trees.note(head);
    return { text: tlogProofText({ index: sequence - 1, hashes, checkpoint }) };
  },
  async auditConsistency({ query: { partition, from, to } }, ledger) {
    checkedPartition(partition, ledger.partitions, 'query.partition');
    if (from > to) throw new ProblemError('invalid-request', 'query.from has to be at most query.to');
    const head = await headOf(partition, ledger, to);
    // Every tree begins with the empty one.
    const ranges = from === 0 ? [] : rangesOfConsistency(from, to);
    const hashes = await hashesIn({ ...head, size: to }, ranges, ledger);
    return { body: { partition, from, to, hashes: hashes.map(toBase64) } };
  },
};

async function checkpointOf(partition: number, ledger: Ledger): Promise<Answered> {
  return { text: ledger.trees.note(await headOf(partition, ledger)) };
}

/** Of at least so many leaves. Throws `position-ahead` when there are not; at a standby, `unavailable`. */
async function headOf(partition: number, { trees, tail }: Ledger, atLeast = 0): Promise<TreeHead> {
  const head = (await trees.heads())[partition] as TreeHead;
  if (head.size >= atLeast) return head;
  const now = await trees.headNow(partition);
  if (now.size >= atLeast) return now;
  if (tail.isStandby) throw aheadOfLog('what is asked for', tail);
  throw new ProblemError('position-ahead', `Partition ${partition} has come to ${now.size}.`);
}

function hashesIn({ partition, size }: TreeHead, ranges: readonly Range[], { trees }: Ledger) {
  return hashesOf(ranges, size, (places) => trees.tiles(partition, size, places), trees.nodeHash);
}

function existing(text: string, { partitions }: Ledger): number {
  const partition = Number(text);
  if (partition >= partitions) throw new ProblemError('not-found');
  return partition;
}
