/** One page of events. `next`: what to ask for with `after`, when there may be more. */
export function page(events: readonly string[], next: number | false | undefined): string {
  return `{"events":[${events.join(',')}]${next ? `,"next":${next}` : ''}}`;
}
