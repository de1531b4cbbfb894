import { useEffect, useState } from 'preact/hooks';
import { reasonOf } from '../data/call';
import { addressOf, go } from '../data/location';
import { type Found, lookUp, meaningsOf, type Wanted } from '../data/lookups';
import { SessionRows } from './parts/session-rows';
import { Trouble } from './parts/shown';

/**
 * What is looked for. It is held by this page's memory and stands in no address, because anything may be a handle that
 * somebody pasted; what is found has addresses of its own.
 */
interface Search {
  wanted: Wanted[];
  /** What was typed, unless it is a handle. */
  text?: string;
  problem?: string;
  /** It was asked just now: where it leads to one place, the page goes there. */
  isNew: boolean;
}
let search: Search | undefined;
const listeners = new Set<() => void>();

function start(text: string): void {
  try {
    const wanted = meaningsOf(text);
    const isShown = wanted.every(({ what }) => what !== 'handle');
    search = { wanted, isNew: true, ...(isShown && { text }) };
  } catch (error) {
    search = { wanted: [], isNew: true, problem: reasonOf(error) };
  }
  go(addressOf('find'));
  for (const listener of listeners) listener();
}

/** From here on the rest of the text is a value that may be a secret. */
const SECRET = /^\s*handle:[^:]*:/i;

/** The one box for whatever somebody has in hand. */
export function Find() {
  const [isSecret, setSecret] = useState(false);
  return (
    <form
      class="find"
      aria-label="Find"
      onSubmit={(event) => {
        event.preventDefault();
        const input = new FormData(event.currentTarget).get('find');
        const text = String(input).trim();
        if (text === '') return;
        start(text);
        if (isSecret) event.currentTarget.reset();
        setSecret(false);
      }}
    >
      <input
        name="find"
        type="search"
        class={isSecret ? 'secret' : ''}
        autocomplete="off"
        spellcheck={false}
        aria-label="Find a user, a user and project, a session, a version, or a handle"
        placeholder="User, user project, session, version, handle:…"
        title={
          'user · user project · "user with spaces" project · session id · version id · handle:kind:value'
        }
        onInput={(event) => setSecret(SECRET.test(event.currentTarget.value))}
      />
    </form>
  );
}

interface Looked {
  found: Found[];
  troubles: string[];
}

/** What was found; nothing found is said. */
export function FindPage() {
  const [asked, setAsked] = useState(search);
  const [looked, setLooked] = useState<Looked>();
  useEffect(() => {
    const changed = () => setAsked(search);
    listeners.add(changed);
    return () => void listeners.delete(changed);
  }, []);
  useEffect(() => {
    if (!asked || asked.problem !== undefined) return;
    const stop = new AbortController();
    setLooked(undefined);
    void lookUpAll(asked.wanted, stop.signal).then((all) => {
      if (stop.signal.aborted) return;
      const [one] = all.found;
      const isClear = all.found.length === 1 && all.troubles.length === 0;
      if (asked.isNew && isClear && one?.place !== undefined) {
        asked.isNew = false;
        go(one.place);
      } else setLooked(all);
    });
    return () => stop.abort();
  }, [asked]);
  return (
    <>
      <h1>Find</h1>
      {asked && <Answer asked={asked} looked={looked} />}
      <Help />
    </>
  );
}

async function lookUpAll(wanted: readonly Wanted[], signal: AbortSignal): Promise<Looked> {
  const all = await Promise.allSettled(wanted.map((one) => lookUp(one, signal)));
  const found = all.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []));
  const troubles = all.flatMap((one) => (one.status === 'rejected' ? [reasonOf(one.reason)] : []));
  return { found, troubles: [...new Set(troubles)] };
}

function Answer({ asked: { wanted, text, problem }, looked }: { asked: Search; looked: Looked | undefined }) {
  if (problem !== undefined) return <Trouble text={problem} />;
  const what = text === undefined ? 'this handle' : <bdi>{text}</bdi>;
  if (wanted.length === 0)
    return <Trouble text="The text is not an id: an id has 1 to 256 characters and no control characters." />;
  if (!looked) return <p role="status">Looking for {what}…</p>;
  const { found, troubles } = looked;
  return (
    <>
      {troubles.map((trouble) => (
        <Trouble key={trouble} text={trouble} />
      ))}
      {found.length === 0 && troubles.length === 0 && (
        <p role="status" class="nothing">
          Nothing was found for {what}: no session, version or project, and no user with a current session{' '}
          {text === undefined ? '. The handle is not bound' : ''}.
        </p>
      )}
      {found.map((one) => (
        <section class="card" key={one.title}>
          <h2>
            <bdi>{one.title}</bdi>
          </h2>
          {one.says && <p>{one.says}</p>}
          {one.sessions.length > 0 && <SessionRows sessions={one.sessions} />}
          <p class="pages">
            {one.place && one.what === 'scope' && <a href={one.place}>Owners over time</a>}
            {one.place && one.what === 'project' && (
              <a href={one.place}>All current sessions of the project</a>
            )}
            {one.more && <span class="dim">More sessions match than are shown.</span>}
          </p>
        </section>
      ))}
    </>
  );
}

const FORMS = [
  ['ada', 'a user: all current sessions of the user'],
  ['captions', 'a project: all its current sessions'],
  ['ada captions', 'a user and a project: its sessions, including past ones'],
  ['"ada lovelace" "my project"', 'ids with spaces, in quotes; within quotes, \\" is a quote'],
  ['01920000-0000-7003-8000-000000000000', 'a session'],
  ['v42', 'a version: all sessions made with it'],
  ['handle:mcp-transport:…', 'a handle, by kind and value. The value is hidden and never appears in a URL'],
] as const;

function Help() {
  return (
    <section class="card">
      <h2>Search syntax</h2>
      <dl class="forms">
        {FORMS.map(([form, means]) => (
          <>
            <dt>
              <code>{form}</code>
            </dt>
            <dd>{means}</dd>
          </>
        ))}
      </dl>
    </section>
  );
}
