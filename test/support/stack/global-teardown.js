import { removeStack } from './stack.js';

export default async function globalTeardown() {
  await removeStack(globalThis.sessionLedgerTestStack);
}
