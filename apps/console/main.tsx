import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { addressOf, type Place, usePlace } from './data/location';
import { learnWhoAsks, useAccess } from './data/use-access';
import { ErasePage } from './pages/erase';
import { Find, FindPage } from './pages/find';
import { HoldersPage } from './pages/holders';
import { JobsPage } from './pages/jobs/jobs';
import { OverviewPage } from './pages/overview';
import { Boundary } from './pages/parts/boundary';
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
      <a class="skip" href="#content">
        Skip to the content
      </a>
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
          aria-label="Dark or light"
          onClick={() =>
            document.documentElement.classList.toggle(
              matchMedia('(prefers-color-scheme: dark)').matches ? 'light' : 'dark',
            )
          }
        >
          ◐
        </button>
      </header>
      <main id="content" tabIndex={-1}>
        {isAsked && !caller ? (
          <section class="card narrow">
            <SignIn />
          </section>
        ) : (
          <>
            {isAsked && <SignInAgain />}
            <Allowed needs={NEEDS[place.page] ?? ['read']}>
              <Boundary key={turn} place={addressOf(place.page, place.about)}>
                <Shown place={place} />
              </Boundary>
            </Allowed>
          </>
        )}
      </main>
    </>
  );
}

function Shown({ place: { page, about } }: { place: Place }) {
  if (page === 'scope' && about.userId) {
    const { userId, projectId = 'default' } = about;
    return <ScopePage key={JSON.stringify([userId, projectId])} userId={userId} projectId={projectId} />;
  }
  if (page === 'session' && about.id) return <SessionPage id={about.id} />;
  if (page === 'sessions') return <SessionsPage about={about} />;
  if (page === 'erase') return <ErasePage key={JSON.stringify(about)} about={about} />;
  if (page === 'tail') return <TailPage about={about} />;
  if (page === 'jobs') return <JobsPage about={about} />;
  if (page === 'find') return <FindPage />;
  if (page === 'holders') return <HoldersPage about={about} />;
  if (page === '') return <OverviewPage />;
  return <Nowhere />;
}

const Nowhere = () => (
  <section class="card">
    <h1>There is no such page</h1>
    <p>
      A scope's page needs a <code>userId</code> in its URL, a session's page an <code>id</code>. Use the
      search box above, or start from the <a href={addressOf('')}>overview</a>.
    </p>
  </section>
);

const root = document.getElementById('console');
if (root) render(<Console />, root);
