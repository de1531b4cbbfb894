// Moves the oldest events from the log into files, and reads and proves the log as a whole, files and table.
// May import session, audit, log, postgres and waiting.
// Start reading in archive.ts; replay.ts reads the log whole, verify-log.ts proves it.
export { parseAge } from './age.js';
export { type ArchiveOptions, type ArchiveProgress, type ArchiveSummary, archive } from './archive.js';
export { ArchiveError, type ArchiveErrorCode } from './errors.js';
export type { ArchivedEvent, ArchiveHeader } from './format.js';
export { type ArchiveSeal, checksumOf, readArchive, verifyArchive } from './read-archive.js';
export { recordedEvents, replayFrom } from './replay.js';
export { type OnProgress, type PartitionReport, verifyLog } from './verify-log.js';
