import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { EVENT_TYPES } from '#client';
import { addressOf, go } from '../../data/location';
import { carried } from '../../data/seen-event';
import { useAccess } from '../../data/use-access';
import { nameOf, short, whatHappened } from '../../timeline/model';
import { FILTERS, type Filter, MOST_ROWS, type Row } from './tail-rows';
import { type Tail, useTail } from './use-tail';

/** Events as they happen. What is asked for stands in the address. */
export function TailPage({ about }: { about: Record<string, string> }) {
  const { caller } = useAccess();
  const mayReadOwn = caller?.permissions.includes('read') ?? true;
  const mayReadAll = caller?.permissions.includes('audit') ?? false;
  const isOfAll = mayReadAll && (about.of === 'all' || !mayReadOwn);
  const filter: Filter = Object.fromEntries(FILTERS.map((name) => [name, about[name] ?? '']));
  const tail = useTail(isOfAll ? '/v1/feed/stream' : '/v1/stream/tenant', filter);
  return (
    <>
      <h1>Tail</h1>
      <section class="card" aria-labelledby="happens">
        <h2 id="happens">What happens{isOfAll ? ', in all tenants' : ''}</h2>
        <Filters about={about} mayChoose={mayReadAll && mayReadOwn} />
        <State tail={tail} />
        <table class="tail">
          <thead>
            <tr>
              <th>Time (UTC)</th>
              {isOfAll && <th>Tenant</th>}
              <th>User · project</th>
              <th>What</th>
              <th>Who</th>
              <th>Session</th>
              <th>Epoch</th>
              <th>Event</th>
            </tr>
          </thead>
          <tbody>{tail.rows.map((row) => drawn(row, isOfAll, caller?.tenant))}</tbody>
        </table>
        {tail.rows.length === MOST_ROWS && <p class="dim">The newest {MOST_ROWS.toLocaleString('en')}.</p>}
      </section>
    </>
  );
}

function State({ tail: { isPaused, isOpen, waiting, count, trouble, pause, goOn } }: { tail: Tail }) {
  const wait =
    waiting === MOST_ROWS
      ? `${MOST_ROWS.toLocaleString('en')} or more events wait`
      : `${waiting} ${waiting === 1 ? 'event waits' : 'events wait'}`;
  return (
    <div class="buttons tail-state">
      <button type="button" onClick={isPaused ? goOn : pause}>
        {isPaused ? 'Resume' : 'Pause'}
      </button>
      <span role="status">
        {trouble ? (
          <span class="trouble">{trouble}</span>
        ) : isPaused ? (
          `Paused: ${wait}.`
        ) : isOpen ? (
          count === 0 ? (
            'Listening. Nothing has matched yet.'
          ) : (
            'Listening.'
          )
        ) : (
          'Connecting…'
        )}
      </span>
      {count > 0 && <span class="dim">{count.toLocaleString('en')} since the page was opened</span>}
    </div>
  );
}

function Filters({ about, mayChoose }: { about: Record<string, string>; mayChoose: boolean }) {
  const show = (form: HTMLFormElement) => {
    const given = [...new FormData(form)].filter(([, text]) => text !== '');
    const address = addressOf('tail', Object.fromEntries(given));
    if (address !== location.pathname + location.search) go(address);
  };
  const form = useRef<HTMLFormElement>(null);
  // Whoever goes back finds in the fields what the address says.
  useEffect(() => {
    for (const one of form.current?.querySelectorAll<HTMLInputElement | HTMLSelectElement>('[name]') ?? [])
      one.value = about[one.name] ?? '';
  }, [about]);
  return (
    <form
      ref={form}
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        show(event.currentTarget);
      }}
      onChange={(event) => show(event.currentTarget)}
    >
      {(['user', 'project', 'environment'] as const).map((name) => (
        <label key={name}>
          {name} contains <input name={name} defaultValue={about[name] ?? ''} autocomplete="off" />
        </label>
      ))}
      <label>
        type{' '}
        <select name="type" defaultValue={about.type ?? ''}>
          <option value="">any</option>
          {EVENT_TYPES.map((type) => (
            <option key={type}>{type}</option>
          ))}
        </select>
      </label>
      {mayChoose && (
        <label>
          of{' '}
          <select name="of" defaultValue={about.of ?? ''}>
            <option value="">this tenant</option>
            <option value="all">all tenants</option>
          </select>
        </label>
      )}
      <button type="submit">Show</button>
    </form>
  );
}

/** Rows are drawn once each: a list that grows at its top changes nothing in those below. */
const kept = new WeakMap<Row, VNode>();
function drawn(row: Row, hasTenant: boolean, own: string | undefined): VNode {
  const known = kept.get(row);
  if (known) return known;
  const made =
    'gap' in row ? (
      <GapRow key={row.key} row={row} />
    ) : (
      <EventRow key={row.key} row={row} hasTenant={hasTenant} own={own} />
    );
  kept.set(row, made);
  return made;
}

function GapRow({ row }: { row: Extract<Row, { gap: string }> }) {
  return (
    <tr class="gap">
      <td colSpan={7}>{row.gap}</td>
    </tr>
  );
}

interface Shown {
  row: Extract<Row, { event: unknown }>;
  hasTenant: boolean;
  own: string | undefined;
}

function EventRow({ row, hasTenant, own }: Shown) {
  const { event, tenant, userId, projectId, owner } = row;
  const { session, previous, sessionId, epoch } = carried(event);
  const about = session ?? previous;
  const id = about?.sessionId ?? sessionId;
  // What is another tenant's is not shown to who reads for all.
  const isReadable = own === undefined || own === tenant;
  const scope = (
    <>
      <bdi>{userId}</bdi> · <bdi>{projectId}</bdi>
    </>
  );
  return (
    <tr class={row.type === 'StopIgnored' ? 'stop' : ''} data-event={event.id}>
      <td>{event.time.slice(11, 23)}</td>
      {hasTenant && <td>{tenant}</td>}
      <td>{isReadable ? <a href={addressOf('scope', { userId, projectId })}>{scope}</a> : scope}</td>
      <td class={row.type === 'StopIgnored' ? 'refused' : ''}>{whatHappened(event)}</td>
      <td>
        {owner && <bdi>{nameOf(owner)}</bdi>} <span class="dim">{event.principal ?? 'time'}</span>
      </td>
      <td>{id && (isReadable ? <a href={addressOf('session', { id })}>{short(id)}</a> : short(id))}</td>
      <td>{about?.epoch ?? epoch}</td>
      <td>{event.id}</td>
    </tr>
  );
}
