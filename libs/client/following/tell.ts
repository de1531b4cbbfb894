/** Calls a listener of the user's: one that throws is no reason to lose an event, or to stop. */
export function tell(listener: () => void): void {
  try {
    listener();
  } catch {}
}
