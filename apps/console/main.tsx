import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { addressOf, go, type Place, usePlace } from './data/location';
import { learnWhoAsks, useAccess } from './data/use-access';
import { ErasePage } from './pages/erase';
import { HoldersPage } from './pages/holders';
import { JobsPage } from './pages/jobs/jobs';
import { OverviewPage } from './pages/overview';
import { ScopePage } from './pages/scope';
import { SessionPage } from './pages/session';
import { SessionsPage } from './pages/sessions';
import { TailPage } from './pages/tail/tail';
import { Allowed, type Permission } from './signing-in/allowed';
import { SignIn, SignInAgain } from './signing-in/sign-in';
import { Who } from './signing-in/who';

const PAGES = [
  ['', 'Overview'],
  ['sessions', 'Sessions'],
  ['holders', 'Who holds what'],
  ['tail', 'Tail'],
  ['jobs', 'Jobs'],
] as const;

/** What a page asks the service for, where that is more than `read`. */
const NEEDS: Record<string, readonly Permission[]> = {
  '': ['read', 'audit'],
  holders: ['read', 'audit'],
  erase: ['operate'],
  jobs: ['operate'],
  tail: ['read', 'audit'],
};

function Console() {
  const place = usePlace();
  const { caller, isAsked, turn } = useAccess();
  useEffect(() => {
    const stop = new AbortController();
    void learnWhoAsks(stop.signal);
    return () => stop.abort();
  }, []);
  useEffect(() => {
    document.title = `${place.about.userId ?? place.page ?? 'Overview'} · Session Ledger`;
  }, [place]);
  return (
    <>
      <header>
        <b>Session Ledger</b>
        <nav aria-label="Pages">
          {PAGES.map(([page, name]) => (
            <a key={page} href={addressOf(page)} aria-current={place.page === page ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <Find />
        <Who />
        <button
          type="button"
          onClick={() =>
            document.documentElement.classList.toggle(
              matchMedia('(prefers-color-scheme: dark)').matches ? 'light' : 'dark',
            )
          }
        >
          Dark or light
        </button>
      </header>
      <main>
        {isAsked && !caller ? (
          <section class="card narrow">
            <SignIn />
          </section>
        ) : (
          <>
            {isAsked && <SignInAgain />}
            <Allowed needs={NEEDS[place.page] ?? ['read']}>
              <Shown key={turn} place={place} />
            </Allowed>
          </>
        )}
      </main>
    </>
  );
}

function Shown({ place: { page, about } }: { place: Place }) {
  if (page === 'scope' && about.userId)
    return <ScopePage userId={about.userId} projectId={about.projectId ?? 'default'} />;
  if (page === 'session' && about.id) return <SessionPage id={about.id} />;
  if (page === 'sessions') return <SessionsPage about={about} />;
  if (page === 'erase') return <ErasePage key={JSON.stringify(about)} about={about} />;
  if (page === 'tail') return <TailPage about={about} />;
  if (page === 'jobs') return <JobsPage about={about} />;
  if (page === 'holders') return <HoldersPage about={about} />;
  return <OverviewPage />;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** A session id leads to the session; anything else is a user, or a user and a project with a space between. */
function Find() {
  return (
    <form
      class="find"
      aria-label="Find"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get('find')).trim();
        const [userId, projectId] = text.split(/\s+/, 2);
        if (UUID.test(text)) go(addressOf('session', { id: text }));
        else if (userId) go(addressOf('scope', { userId, projectId }));
      }}
    >
      <input
        name="find"
        type="search"
        aria-label="Find a session id, or a user and project"
        placeholder="Session id, or user and project"
      />
    </form>
  );
}

const root = document.getElementById('console');
if (root) render(<Console />, root);
