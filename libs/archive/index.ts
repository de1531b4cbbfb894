// Moves the oldest events from the log into files, and reads and proves the log as a whole, files and table.
// May import session, audit, log, postgres and waiting.
// Start reading in archive.ts; replay.ts reads the log whole, verify-log.ts proves it.
export { parseAge } from './age.js';
export { type ArchiveProgress, type ArchiveSummary, archive } from './archive.js';
export { ArchiveError } from './errors.js';
export { readArchive } from './read-archive.js';
export { recordedEvents, replayFrom } from './replay.js';
export { type PartitionReport, verifyLog } from './verify-log.js';
