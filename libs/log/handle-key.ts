import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync } from 'node:fs';
import pg from 'pg';
import { query, rowOf } from '#postgres';
import { alone } from './alone.js';
import { KeyFileError, readKeyFile, syncKeyFile, writeKeyFile } from './key-files.js';
import { statement } from './statements.js';

const readIdentity = statement('read_identity');
const readKey = statement('read_handle_key');

const KEY_BYTES = 32;
/** `HANDLE+KEY+<key>`, or `HANDLE+KEY+<ledger id>+<key>` for one that a ledger had before; the key in base64url. */
const FORM = /^HANDLE\+KEY\+(?:([0-9a-f-]{36})\+)?([\w-]{43})\s*$/;

const IN_A_FILE =
  "LEDGER_HANDLE_KEY_FILE is not set, and this ledger's handle key is in a file: name that file " +
  '(docs/access.md, The handle key).';
const IN_THE_DATABASE =
  'LEDGER_HANDLE_KEY_FILE is set, and this ledger keeps its handle key in the database: move it with `session-ledger ' +
  'handle-key move`, or leave the setting out (docs/access.md, The handle key).';
const STILL_ON_DISK =
  "The key is in the file, and the service can use it. The database's files still hold the row that had it: run the " +
  'command again.';

/** Writes a key for a ledger that is made later. @throws KeyFileError */
export function makeHandleKey(file: string): void {
  writeKeyFile(file, `HANDLE+KEY+${randomBytes(KEY_BYTES).toString('base64url')}`);
}

/** What a new ledger keeps: its key, or what the one in its file is known by. @throws KeyFileError */
export function newHandleKey(id: string, file: string | undefined): { key?: Buffer; check?: Buffer } {
  return file === undefined ? { key: randomBytes(KEY_BYTES) } : { check: checkOf(keyIn(file, id), id) };
}

/**
 * The key that hashes a ledger's handles, from its file or its table.
 *
 * @param file what LEDGER_HANDLE_KEY_FILE names
 * @throws KeyFileError unless the file is there exactly where the ledger needs it, and is its own
 */
export async function readHandleKey(
  pool: pg.Pool,
  { id }: { id: string },
  file: string | undefined,
): Promise<Buffer> {
  const { handle_key: key, handle_key_check: check } = rowOf(await query(pool, readKey));
  if (file === undefined && key !== null) return key;
  if (file === undefined) throw new KeyFileError(IN_A_FILE);
  if (check === null) throw new KeyFileError(IN_THE_DATABASE);
  try {
    return checked(file, id, check);
  } catch (error) {
    if (error instanceof KeyFileError) throw new KeyFileError(`LEDGER_HANDLE_KEY_FILE: ${error.message}`);
    throw error;
  }
}

/**
 * Moves a ledger's key from its table into a file, unless it is there already. The file is on the disk before the table
 * changes for others; whatever ends this in between leaves the ledger as it was, and doing it again finishes it.
 *
 * @param url of Postgres, for the login that owns the database
 * @throws KeyFileError for a file that holds anything else; it is never written over
 */
export async function moveHandleKey(url: string, file: string): Promise<'moved' | 'there already'> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {}); // a lost connection also fails the statement on it, and that one is heard
  await client.connect();
  try {
    const moved = await alone(client, () => move(client, file));
    // What an update leaves behind is in the table's file until its page is written anew, and in every copy of that.
    await client.query('vacuum full ledger.ledger').catch((cause) => {
      throw new KeyFileError(STILL_ON_DISK, { cause });
    });
    return moved ? 'moved' : 'there already';
  } finally {
    await client.end();
  }
}

async function move(client: pg.Client, file: string): Promise<boolean> {
  const { id } = rowOf(await query(client, readIdentity));
  const { handle_key: key, handle_key_check: before } = rowOf(await query(client, readKey));
  if (key === null) {
    if (!existsSync(file))
      throw new KeyFileError(
        `The key of this ledger is in a file already, and ${file} is not there: name that file`,
      );
    checked(file, id, before);
    return false;
  }
  const check = checkOf(key, id);
  // First, so that whoever has no right to it leaves no file behind.
  await client.query('update ledger.ledger set handle_key = null, handle_key_check = $1', [check]);
  if (!existsSync(file)) writeKeyFile(file, `HANDLE+KEY+${id}+${key.toString('base64url')}`);
  checked(file, id, check); // as the service reads it
  syncKeyFile(file); // also where a move that was killed has left it
  return true;
}

function checked(file: string, id: string, check: Buffer | null): Buffer {
  const key = keyIn(file, id);
  if (check !== null && timingSafeEqual(checkOf(key, id), check)) return key;
  throw new KeyFileError(`${file} is not the handle key of the ledger ${id}: name the file that is`);
}

/** A ledger's key by a file. Ledgers that were made with the same file have keys of their own all the same. */
function keyIn(file: string, id: string): Buffer {
  const [, ledger, text] = FORM.exec(readKeyFile(file)) ?? [];
  if (text === undefined)
    throw new KeyFileError(`${file} holds no handle key: \`session-ledger handle-key make\` makes one`);
  const key = Buffer.from(text, 'base64url');
  if (ledger === undefined) return Buffer.from(hkdfSync('sha256', key, '', `handles of ${id}`, KEY_BYTES));
  if (ledger === id) return key;
  throw new KeyFileError(`${file} is the handle key of the ledger ${ledger}, and this one is ${id}`);
}

/** Tells nothing of a key but whether it is the one. What is hashed for handles begins with a bracket, so never this. */
function checkOf(key: Buffer, id: string): Buffer {
  return createHmac('sha256', key).update(id).digest();
}
