import { addressOf } from '../data/location';
import { carried, type SeenEvent, typeOf } from '../data/seen-event';
import type { View } from './draw';
import { firstAt, nameOf, short, whatHappened } from './model';

const ROWS = 200;
const timeOf = (event: SeenEvent) => Date.parse(event.time);

/** What the picture above shows, for those who read: the events of the view, the newest first. */
export function EventsTable({ events, view }: { events: readonly SeenEvent[]; view: View | undefined }) {
  const first = view ? firstAt(events, timeOf, view.from) : 0;
  const end = view ? firstAt(events, timeOf, view.to) : events.length;
  const shown = events.slice(Math.max(first, end - ROWS), end).reverse();
  return (
    <>
      <table>
        <thead>
          <tr>
            <th>Time (UTC)</th>
            <th>Who</th>
            <th>What</th>
            <th>Session</th>
            <th>Epoch</th>
            <th>Position</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((event) => (
            <Row key={event.id} event={event} />
          ))}
        </tbody>
      </table>
      {shown.length < events.length && (
        <p class="dim">
          {end - first > ROWS ? `The newest ${ROWS} of the ${end - first}` : `The ${end - first}`} events in
          view. The scope has {events.length}. Zoom or pan to see others.
        </p>
      )}
    </>
  );
}

function Row({ event }: { event: SeenEvent }) {
  const { session, previous, sessionId, origin, by, epoch } = carried(event);
  const about = session ?? previous;
  const id = about?.sessionId ?? sessionId;
  const isErasure = typeOf(event) === 'DetailsErased';
  const who = isErasure ? undefined : (origin ?? by ?? about?.owner ?? about?.previousOwner);
  return (
    <tr class={typeOf(event) === 'StopIgnored' ? 'refused-row' : ''}>
      <td>{event.time.slice(0, 23).replace('T', ' ')}</td>
      <td>
        {who ? nameOf(who) : (event.principal ?? 'time')}
        {who && event.principal && <span class="dim"> ({event.principal})</span>}
      </td>
      <td>{whatHappened(event)}</td>
      <td>{id && <a href={addressOf('session', { id })}>{short(id)}</a>}</td>
      <td>{about?.epoch ?? epoch}</td>
      <td>
        {event.partition}:{Number(event.sequence)}
      </td>
    </tr>
  );
}
