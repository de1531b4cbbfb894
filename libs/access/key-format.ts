import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const [ID_DIGITS, SECRET_DIGITS, SUM_DIGITS] = [10, 43, 6];
const KEY = /^sl[tl]_[0-9A-Za-z]{59}$/;

/** A key when it is made: only its hash is kept. */
export interface NewKey {
  /** What it is called in lists and logs: 10 digits to base 62. */
  id: string;
  /** Secret: `slt_` or `sll_`, the id, 256 random bits to base 62, and a CRC-32 of all that. */
  token: string;
}

export function newKey(isLedgerWide: boolean): NewKey {
  const id = random(ID_DIGITS);
  const body = `${isLedgerWide ? 'sll' : 'slt'}_${id}${random(SECRET_DIGITS)}`;
  return { id, token: body + checkSum(body) };
}

/**
 * Whether a text has the form of a key. Its check sum is for whoever looks for keys in texts: to ask for one that is
 * mistyped costs less than to sum it up.
 */
export function isKey(token: string): boolean {
  return KEY.test(token);
}

/** What a key is kept as and looked up by: SHA-256, in hex. Its secret has 256 random bits, so nothing slower is needed. */
export function hashOf(token: string): string {
  return hash('sha256', token, 'hex');
}

/** So many random digits: an id, or a name. */
function random(digits: number): string {
  return Array.from({ length: digits }, () => DIGITS[randomInt(DIGITS.length)]).join('');
}

function checkSum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let count = 0; count < SUM_DIGITS; count += 1) {
    digits = DIGITS[rest % DIGITS.length] + digits;
    rest = Math.floor(rest / DIGITS.length);
  }
  return digits;
}
