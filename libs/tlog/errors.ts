/** What is the matter with a proof, a note or a key. */
export type TlogFault =
  /** The text is not of the format, or was cut. */
  | 'malformed'
  /** No signature is by a key that is trusted. */
  | 'unknown-key'
  /** A signature by a trusted key does not fit the text. */
  | 'bad-signature'
  /** It is of another log, or another partition. */
  | 'another-log'
  /** The hashes do not lead from what was proven to the root. */
  | 'not-included'
  /** A later tree does not contain an earlier one: something before was changed, or there are two logs. */
  | 'inconsistent'
  /** The log is shorter than it was. */
  | 'shrunk';

/** Something that should be proven is not. */
export class TlogError extends Error {
  override readonly name = 'TlogError';

  constructor(
    readonly fault: TlogFault,
    message: string,
  ) {
    super(message);
  }
}
