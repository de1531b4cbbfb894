import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** All files in a folder and in those within it. */
export const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
