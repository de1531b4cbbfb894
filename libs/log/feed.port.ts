/** One event as it stands in the log. `bytes` is what was hashed, stored and served; nobody re-serialises it. */
export interface FeedEvent {
  partition: number;
  /** 1, 2, 3 … without gaps within its partition. */
  sequence: number;
  /** `tenant/userId/projectId`, percent-encoded: Kafka's record key. */
  scopeKey: string;
  type: string;
  epoch: number;
  bytes: Buffer;
}

/** The log as followers see it: dense numbers, in order, by partition. */
export interface Feed {
  readonly partitions: number;
  /**
   * Events after `after`, at most `limit` of them; empty at the end of the partition. Rejects with an error whose
   * code is `archived` when the next event is in an archive.
   */
  read(partition: number, after: number, limit: number): Promise<FeedEvent[]>;
  /** As `read`, but from the table itself and never from memory: for those who ask whether the past is the same. */
  readTable(partition: number, after: number, limit: number): Promise<FeedEvent[]>;
  /**
   * Rises whenever the past of the table was found to be another one than this process knew (a failover, a
   * restore): what was read before may not be in the table any more.
   */
  readonly history: number;
  /**
   * Resolves when the partition may hold something after `after`, at latest after `ms` or when `signal`
   * aborts. Never rejects; waking too often is allowed, so the caller reads again.
   */
  changed(partition: number, after: number, ms: number, signal?: AbortSignal): Promise<void>;
}

/** A relay's right to write one Kafka partition, kept in Postgres. */
export interface RelayLease {
  partition: number;
  /** Rises with every new holder. */
  epoch: number;
  /** The last sequence known to be in Kafka. */
  confirmed: number;
}

/** Who mirrors which partition. At most one holder at a time by the database's clock. */
export interface RelayLeases {
  /**
   * The lease of a partition that nobody holds, or that this holder holds; undefined when another has it.
   * Makes one synchronous commit on a connection before its first read, so that nothing which a crash
   * could still take back is ever mirrored.
   */
  acquire(partition: number, holder: string, seconds: number): Promise<RelayLease | undefined>;
  /** Extends the lease and stores how far Kafka has confirmed. False when the lease was lost: stop at once. */
  confirm(lease: RelayLease, holder: string, sequence: number, seconds: number): Promise<boolean>;
  /**
   * Kafka has nothing of the partition: nothing counts as confirmed any more. Extends the lease under a new epoch,
   * so that no confirmation which is still on its way counts. Undefined when the lease was lost.
   */
  startOver(lease: RelayLease, holder: string, seconds: number): Promise<RelayLease | undefined>;
  /** The epoch of the lease that another holder has on the partition now; undefined when no other has it. */
  heldByAnother(partition: number, holder: string): Promise<number | undefined>;
  /** Gives the lease back so that another holder need not wait for its end. */
  release(lease: RelayLease, holder: string): Promise<void>;
}
