import { totalmem } from 'node:os';

const MIB = 1 << 20;

/** Of the machine, or what a container may use of it. */
const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

/**
 * The settings of the embedded server, given on its command line, so that a change here also reaches
 * databases that exist already. Durability (fsync, full_page_writes, synchronous_commit) stays at the
 * defaults, which are on: an acknowledged command survives kill -9 and a power cut.
 */
const settings = {
  listen_addresses: '127.0.0.1',
  // TCP only: a socket in /tmp would clash with another Postgres, and its path length is limited.
  unix_socket_directories: '',
  // A writer, reader and relay pool for each of a few roles, and room for psql. Costs memory per slot only.
  max_connections: '100',
  // The heads, scope states and indexes that commands read: a quarter of the memory, as Postgres' manual has it, of which
  // only what is used is taken. The rest is the page cache.
  shared_buffers: `${Math.round(Math.min(Math.max(memory / 4 / MIB, 128), 8_192))}MB`,
  // Checkpoints by time, not by volume, under write load: each one makes pages be logged in full again.
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  // lz4 would pay, but npm's builds come without it; pglz costs more CPU than the disk saves.
  wal_compression: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  // No statement that failed, and no parameter: they would show session ids and what callers sent. Whoever
  // asked is answered with the error; what ends the server or a connection is still logged.
  log_min_messages: 'log',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
  lc_messages: 'C',
} as const;

/** The settings as arguments of `postgres`. */
export function settingArguments(): string[] {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
