import { queryOf } from './call';
import { readText } from './read-text';
import type { SeenEvent } from './seen-event';

/** An event, and the very bytes that were hashed: parsed and written again they might be others. */
export interface RawEvent {
  event: SeenEvent;
  text: string;
}

export interface RawPage {
  events: RawEvent[];
  next?: number;
}

/** A page of a scope's events after a version. */
export async function readEvents(
  scope: { userId: string; projectId: string },
  after: number,
  limit: number,
  signal: AbortSignal,
): Promise<RawPage> {
  const answer = await readText(`/v1/events${queryOf({ ...scope, after, limit })}`, signal);
  const { events, next } = JSON.parse(answer) as { events: SeenEvent[]; next?: number };
  const texts = itemsOf(answer, answer.indexOf('[') + 1);
  return {
    events: events.map((event, at) => ({ event, text: hashed(event, texts[at] ?? '') })),
    ...(next !== undefined && { next }),
  };
}

/** How often a stop was ignored is told beside the event; it is no part of it. */
function hashed({ ignoredstops }: SeenEvent, text: string): string {
  const beside = `,"ignoredstops":${ignoredstops}}`;
  return ignoredstops !== undefined && text.endsWith(beside) ? `${text.slice(0, -beside.length)}}` : text;
}

/** The objects of a list in JSON that is known to be right, each as it is written. `from` is after the list's bracket. */
function itemsOf(json: string, from: number): string[] {
  const items: string[] = [];
  let [depth, start, isText] = [0, from, false];
  for (let at = from; at < json.length; at++) {
    const one = json[at];
    if (isText) {
      if (one === '\\') at++;
      else if (one === '"') isText = false;
    } else if (one === '"') isText = true;
    else if (one === '{' || one === '[') {
      if (depth++ === 0) start = at;
    } else if (one === '}' || one === ']') {
      if (depth === 0) break;
      if (--depth === 0) items.push(json.slice(start, at + 1));
    }
  }
  return items;
}
