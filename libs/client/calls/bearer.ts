import { CredentialError } from '../errors.js';

/** The value of a request's `Authorization`. Throws CredentialError, without the token, for what no header can carry. */
export function bearerOf(token: string, name = 'the token'): string {
  const text = token.trim();
  if (/^[\x21-\x7e]+$/.test(text)) return `Bearer ${text}`;
  throw new CredentialError(`${name} ${faultOf(text)}`);
}

function faultOf(text: string): string {
  if (text === '') return 'is empty';
  if (/[\r\n]/.test(text)) return 'holds a line break: a token is one line';
  return /\s/.test(text) ? 'holds a blank, which no token has' : 'holds a character that no header can carry';
}
