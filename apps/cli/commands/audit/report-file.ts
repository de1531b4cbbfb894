import { leafHash, nodeHash } from '#audit';
import { type LedgerEvent, type SignedCheckpoint, TlogError, verifyCheckpoint } from '#client';
import { fromBase64, includedRoot } from '#tlog';
import { eventRow } from '../../event-row.js';

/** The first member of a report. */
export const REPORT_FORMAT = 'session-ledger audit report v1';

/** What happened in a scope between two times, with what proves it. */
export interface Report {
  format: typeof REPORT_FORMAT;
  scope: { userId: string; projectId: string };
  /** The times between which the events are; absent: from the first, up to the last. */
  from?: string;
  to?: string;
  madeAt: string;
  /** Of the ledger, as it says: trust a key that you have from elsewhere. */
  keys: string[];
  /** The signed note that everything here is proven by. */
  checkpoint: string;
  /** The scope's last event before `from`: nothing is left out between it and the first of `events`. Absent: there is none. */
  before?: ReportedEvent;
  /** In order, without gaps. What came after the last one, nothing here can tell. */
  events: ReportedEvent[];
  /** When details were erased, by which event. */
  erased: { at: string; position: string }[];
  /** For people: who owned it when, what was refused and why. */
  summary: string[];
}

export interface ReportedEvent {
  position: string;
  /** The event's very text. */
  event: string;
  /** From the leaf's sibling up, in base 64. */
  proof: string[];
}

export function isReport(text: string): boolean {
  return text.slice(0, 200).includes(REPORT_FORMAT);
}

/** What is found in a report that is right. */
export interface VerifiedReport {
  events: number;
  scope: string;
  /** Times of the first and the last event. */
  from: string;
  to: string;
  checkpoint: SignedCheckpoint;
}

/**
 * Verifies a report without the ledger: each event stands in the log where the report says, all are of its scope and its
 * times, none between them is left out, and the summary says what they say.
 *
 * @throws TlogError
 */
export async function verifyReport(text: string, keys: readonly string[]): Promise<VerifiedReport> {
  const report = parsed(text);
  const checkpoint = await verifyCheckpoint(report.checkpoint, keys);
  const { userId, projectId } = report.scope;
  // The scope's first event is number 1. A report that begins later brings the one before, so that none is left out there.
  let version = 0;
  const events: LedgerEvent[] = [];
  if (report.before) version = await numberBefore(report, checkpoint);
  if (report.events.length === 0) throw new TlogError('malformed', 'the report has no events');
  for (const { position, event, proof } of report.events) {
    await prove(position, event, proof, checkpoint);
    const told = JSON.parse(event) as LedgerEvent & { data: { version: number } };
    if (told.id !== position) throw changed(position, `the event there says that it is ${told.id}`);
    const [, user, project] = told.subject.split('/').map(decodeURIComponent);
    if (user !== userId || project !== projectId)
      throw changed(position, 'the event there belongs to another scope');
    if (told.data.version !== version + 1)
      throw changed(
        position,
        `events before it are left out: ${version} is followed by ${told.data.version}`,
      );
    if ((report.from && told.time < report.from) || (report.to && told.time > report.to))
      throw changed(position, 'the event there is outside the time of the report');
    version = told.data.version;
    events.push(told);
  }
  if (JSON.stringify(summaryOf(events)) !== JSON.stringify(report.summary))
    throw new TlogError('not-included', 'the summary does not match the events');
  if (JSON.stringify(erasuresIn(events)) !== JSON.stringify(report.erased))
    throw new TlogError('not-included', 'the list of what was erased does not match the events');
  const [from, to] = [events[0], events.at(-1)].map((event) => (event as LedgerEvent).time) as [
    string,
    string,
  ];
  return { events: events.length, scope: `user ${userId}, project ${projectId}`, from, to, checkpoint };
}

/** The number of the event before the first one, which is of the scope and of an earlier time. */
async function numberBefore({ before, scope, from }: Report, checkpoint: SignedCheckpoint): Promise<number> {
  const { position, event, proof } = before as ReportedEvent;
  await prove(position, event, proof, checkpoint);
  const told = JSON.parse(event) as LedgerEvent & { data: { version: number } };
  const [, user, project] = told.subject.split('/').map(decodeURIComponent);
  if (user !== scope.userId || project !== scope.projectId || !from || told.time >= from)
    throw changed(position, 'this is not the event before those of the report');
  return told.data.version;
}

async function prove(
  position: string,
  event: string,
  proof: string[],
  { partition, size, root }: SignedCheckpoint,
) {
  const [of, digits] = position.split(':');
  const index = Number(digits) - 1;
  if (Number(of) !== partition || !Number.isSafeInteger(index) || index < 0)
    throw changed(position, `the report is of partition ${partition}`);
  const leaf = leafHash(Buffer.from(event));
  const hashes = proof.map((hash) => fromBase64(hash, 32));
  const found = await includedRoot({ index, size, leaf, hashes }, nodeHash);
  if (!Buffer.from(found).equals(Buffer.from(root)))
    throw changed(position, 'this is not the event that the log has there');
}

/** Who owned it when, what was refused and why: a line an event. */
export function summaryOf(events: readonly LedgerEvent[]): string[] {
  return events.map((event) => {
    const [position, time, type, session, epoch, what] = eventRow(event);
    const by = (event as { principal?: string }).principal;
    return `${time}  ${position}  ${type}  session ${session}  epoch ${epoch}  ${what}${by ? `  (asked by ${by})` : ''}`;
  });
}

export function erasuresIn(events: readonly LedgerEvent[]): Report['erased'] {
  return events
    .filter(({ type }) => type.includes('.DetailsErased.'))
    .map(({ time, id }) => ({ at: time, position: id }));
}

function parsed(text: string): Report {
  try {
    const report = JSON.parse(text) as Report;
    const { format, scope, checkpoint, events, before, erased, summary } = report;
    const isWhole =
      format === REPORT_FORMAT &&
      [scope.userId, scope.projectId, checkpoint].every((one) => typeof one === 'string') &&
      [events, erased, summary].every(Array.isArray) &&
      [...events, ...(before ? [before] : [])].every(isReported);
    if (isWhole) return report;
  } catch {
    // The answer is the same: it is none.
  }
  throw new TlogError('malformed', 'this is not an audit report, or it is incomplete');
}

/** Throws for what is none at all. */
function isReported({ position, event, proof }: ReportedEvent): boolean {
  const { id, subject, time, type, data } = JSON.parse(event) as Partial<LedgerEvent>;
  const isEvent = [id, subject, time, type].every((one) => typeof one === 'string');
  const isProof = Array.isArray(proof) && proof.every((hash) => typeof hash === 'string');
  return typeof position === 'string' && isEvent && Number.isInteger(data?.version) && isProof;
}

function changed(position: string, what: string): TlogError {
  return new TlogError('not-included', `${position}: ${what}`);
}
