/**
 * Why archiving, or reading what was archived, stopped. Nothing is lost by any of them: events leave the table
 * only when their file was read back, recorded and found again.
 *
 * | code | what to do |
 * | --- | --- |
 * | `age` | give an age like `30d`, of at least three days |
 * | `busy` | another archiver works on this ledger: let it finish |
 * | `directory` | make the directory, mount it, or make room in it |
 * | `file` | the file is not what was written: restore it from a copy |
 * | `log` | the partition's events are not those of its tree: run an audit, archive nothing |
 * | `not-relayed` | no relay has ever sent this ledger to Kafka: say that none ever will, or start one |
 * | `database` | migrate the database, or grant the ledger's archivist role to the login |
 */
export type ArchiveErrorCode = 'age' | 'busy' | 'directory' | 'file' | 'log' | 'not-relayed' | 'database';

export class ArchiveError extends Error {
  constructor(
    readonly code: ArchiveErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'ArchiveError';
  }
}
