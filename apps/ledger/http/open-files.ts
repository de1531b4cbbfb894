import type { Server } from 'node:http';

/** Files that the service needs besides connections of clients: Postgres, Kafka, its own. */
const OWN_FILES = 100;

/**
 * Takes no more connections than leave files for Postgres and Kafka: with none left, a connection that was lost there
 * could not be opened anew, and what is open would be of no use. Where there is no limit to be found, there is none here.
 */
export function leaveFiles(server: Server): void {
  const limit = openFiles();
  if (limit !== undefined) server.maxConnections = Math.max(1, limit - Math.min(OWN_FILES, limit >> 1));
}

/** How many files this process may have open. */
function openFiles(): number | undefined {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  report.excludeNetwork = true; // or it would look up the names of all addresses
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const limit = userLimits?.open_files?.soft;
  return typeof limit === 'number' ? limit : undefined;
}
