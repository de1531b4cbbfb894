import { ArchiveError } from '#archive';
import { KafkaSettingsError } from '#broker';
import { KeyFileError, LogError } from '#log';
import { DatabaseUrlError, isAway, isRefused } from '#postgres';

/** Their messages are for users. */
const OURS = [LogError, ArchiveError, DatabaseUrlError, KafkaSettingsError, KeyFileError];

/** What an error is that came from the log, its archives, Postgres or Kafka; undefined for one that nobody expected. */
export function ofRooms(error: unknown): 'ours' | 'away' | 'refused' | undefined {
  if (OURS.some((kind) => error instanceof kind)) return 'ours';
  if (isAway(error)) return 'away';
  return isRefused(error) ? 'refused' : undefined;
}
