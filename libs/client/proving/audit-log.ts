import { fromBase64, type TilePlace, tilePath } from '#tlog';
import type { LedgerClient } from '../ledger-client.js';

/** What an auditor asks a ledger for. Its answers prove nothing by themselves: verify them. */
export interface AuditLog {
  /** Its name in what it signs, and its verifier keys. Trust them once, from somewhere else if you can. */
  keys(): Promise<{ origin: string; keys: string[] }>;
  /** Of every partition, as signed notes. */
  checkpoints(): Promise<string[]>;
  /** Of one partition, as a signed note. */
  checkpoint(partition: number): Promise<string>;
  /** The proof of the event at `partition:sequence`, as text. */
  proof(position: string): Promise<string>;
  /** The hashes that prove that a tree of `to` events has grown from one of `from`. */
  consistency(partition: number, from: number, to: number): Promise<Uint8Array[]>;
  /** Tiles of a partition's tree. Each is asked for once: none ever changes. */
  tiles(partition: number, places: readonly TilePlace[]): Promise<Uint8Array[]>;
}

/** More than any proof or tile. */
const MOST_BYTES = 1_000_000;
/** Tiles of at most 8 KiB that are kept. */
const MOST_KEPT = 4_096;

/** `signal` ends what is asked. */
export function auditLog(ledger: LedgerClient, signal: AbortSignal = new AbortController().signal): AuditLog {
  // Of each request its own: many that wait at once would be too many listeners for one signal.
  const own = () => ({ signal: AbortSignal.any([signal]) });
  const known = new Map<string, Promise<Uint8Array>>();
  const read = async (
    id: 'auditCheckpoint' | 'auditProof' | 'auditTile',
    query: Record<string, unknown>,
    params: Record<string, unknown> = {},
  ) => bytesOf(await ledger.stream(id, query, { ...own(), params }));
  const text = async (...asked: Parameters<typeof read>) => new TextDecoder().decode(await read(...asked));
  const tile = (partition: number, place: TilePlace): Promise<Uint8Array> => {
    const params = { partition, tile: tilePath(place) };
    const name = `${partition}/${params.tile}`;
    const kept = known.get(name);
    if (kept) return kept;
    const asked = read('auditTile', {}, params);
    if (known.size < MOST_KEPT) {
      known.set(name, asked);
      asked.catch(() => known.delete(name));
    }
    return asked;
  };
  return {
    keys: () => ledger.call('auditKeys', {}, own()),
    checkpoints: async () => (await ledger.call('auditCheckpoints', {}, own())).checkpoints,
    checkpoint: (partition) => text('auditCheckpoint', { partition }),
    proof: (position) => text('auditProof', { position }),
    async consistency(partition, from, to) {
      const { hashes } = await ledger.call('auditConsistency', { query: { partition, from, to } }, own());
      return hashes.map((hash) => fromBase64(hash, 32));
    },
    tiles: (partition, places) => Promise.all(places.map((place) => tile(partition, place))),
  };
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
    parts.push(part);
    size += part.length;
    if (size > MOST_BYTES) throw new RangeError(`an answer of over ${MOST_BYTES} bytes`);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
