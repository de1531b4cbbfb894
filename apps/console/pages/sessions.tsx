import { useLayoutEffect, useRef } from 'preact/hooks';
import { CURRENT_STATUSES, type Operations } from '#client';
import { call } from '../data/call';
import { type ListAddress, listQueryOf, ORDERS } from '../data/list-filter';
import { addressOf, go } from '../data/location';
import { usePolled } from '../data/use-polled';
import { OwnerName, Reading, SessionLink, Trouble, when } from './parts/shown';

type Listed = Operations['listCurrent']['answer']['sessions'][number];

/** All current sessions of the tenant. What filters and sorts them is in the address, and so is the page. */
export function SessionsPage({ about }: { about: ListAddress }) {
  const { value, trouble } = usePolled(
    async (signal) => call('listCurrent', { query: listQueryOf(about), signal }),
    JSON.stringify(about),
    5_000,
  );
  const isFiltered = Object.keys(about).some((name) => name !== 'sort');
  return (
    <section class="card" aria-labelledby="current">
      <h1 id="current">Current sessions</h1>
      <Filters about={about} />
      {value ? <Trouble text={trouble} /> : <Reading trouble={trouble} />}
      {value && value.sessions.length > 0 && <Rows sessions={value.sessions} about={about} />}
      {value?.sessions.length === 0 && (
        <p class="dim" role="status">
          {isFiltered ? 'No current session matches.' : 'No session is current.'}
        </p>
      )}
      <nav class="pages" aria-label="Pages of the list">
        {about.next && <a href={addressOf('sessions', { ...about, next: undefined })}>First page</a>}
        {value?.next && <a href={addressOf('sessions', { ...about, next: value.next })}>Next page</a>}
        {isFiltered && <a href={addressOf('sessions')}>Without filters</a>}
      </nav>
    </section>
  );
}

function Filters({ about }: { about: ListAddress }) {
  const form = useRef<HTMLFormElement>(null);
  // The address says what is shown, also after a step back.
  useLayoutEffect(() => {
    for (const field of form.current?.elements ?? []) {
      if (field instanceof HTMLInputElement && field.type === 'checkbox')
        field.checked = about.resetAdvised === 'true';
      else if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement)
        field.value = about[field.name as keyof ListAddress] ?? (field.name === 'sort' ? 'newest' : '');
    }
  }, [about]);
  const submit = () => form.current?.requestSubmit();
  return (
    <form
      ref={form}
      class="filters"
      onSubmit={(event) => {
        event.preventDefault();
        const given = Object.fromEntries(new FormData(event.currentTarget));
        go(addressOf('sessions', { ...given, ...(given.sort === 'newest' && { sort: undefined }) }));
      }}
    >
      <label>
        environment <input name="environment" size={14} />
      </label>
      <label>
        instance <input name="instance" size={14} />
      </label>
      <label>
        project <input name="projectId" size={14} />
      </label>
      <label>
        status{' '}
        <select name="status" onChange={submit}>
          <option value="">any</option>
          {CURRENT_STATUSES.map((status) => (
            <option key={status}>{status}</option>
          ))}
        </select>
      </label>
      <label>
        older than <input name="olderThan" size={6} placeholder="7d" />
      </label>
      <label>
        lease ends within <input name="leaseWithin" size={6} placeholder="10m" />
      </label>
      <label>
        <input type="checkbox" name="resetAdvised" value="true" onChange={submit} /> reset advised
      </label>
      <label>
        sorted{' '}
        <select name="sort" onChange={submit}>
          {ORDERS.map((order) => (
            <option key={order} value={order}>
              {order === 'lease' ? 'lease ending first' : `${order} first`}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">Show</button>
    </form>
  );
}

function Rows({ sessions, about }: { sessions: Listed[]; about: ListAddress }) {
  const { sort = 'newest' } = about;
  const sorted = (order: string) => addressOf('sessions', { ...about, sort: order, next: undefined });
  const since = { newest: 'descending', oldest: 'ascending' } as const;
  return (
    <table>
      <thead>
        <tr>
          <th>User</th>
          <th>Project</th>
          <th>Status</th>
          <th>Owner</th>
          <th>Session</th>
          <th class="number">Epoch</th>
          <th aria-sort={since[sort as keyof typeof since] ?? 'none'}>
            <a href={sorted(sort === 'newest' ? 'oldest' : 'newest')}>Since (UTC)</a>
          </th>
          <th aria-sort={sort === 'lease' ? 'ascending' : 'none'}>
            <a href={sorted('lease')}>Lease ends (UTC)</a>
          </th>
        </tr>
      </thead>
      <tbody>
        {sessions.map((session) => (
          <tr key={session.sessionId}>
            <td>
              <a class="clip" href={addressOf('scope', session.scope)} title={session.scope.userId}>
                <bdi>{session.scope.userId}</bdi>
              </a>
            </td>
            <td>
              <span class="clip" title={session.scope.projectId}>
                <bdi>{session.scope.projectId}</bdi>
              </span>
            </td>
            <td>
              <i class={`swatch ${session.status}`} />
              {session.status}
              {session.resetAdvised && <span class="advice">reset advised</span>}
            </td>
            <td>
              <span class="clip">
                <OwnerName owner={session.owner} />
              </span>
            </td>
            <td>
              <SessionLink id={session.sessionId} />
            </td>
            <td class="number">{session.epoch}</td>
            <td>{when(session.startedAt)}</td>
            <td>{when(session.lease?.expiresAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
