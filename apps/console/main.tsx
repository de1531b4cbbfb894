import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { onSignInNeeded, signIn } from './data/call';
import { addressOf, go, type Place, usePlace } from './data/location';
import { HoldersPage } from './pages/holders';
import { OverviewPage } from './pages/overview';
import { ScopePage } from './pages/scope';
import { SessionPage } from './pages/session';
import { SessionsPage } from './pages/sessions';

const PAGES = [
  ['', 'Overview'],
  ['sessions', 'Sessions'],
  ['holders', 'Who holds what'],
] as const;

function Console() {
  const place = usePlace();
  const [isAsked, setIsAsked] = useState(false);
  const [signedIn, setSignedIn] = useState(0);
  useEffect(() => onSignInNeeded(() => setIsAsked(true)), []);
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
        {isAsked ? (
          <SignIn
            done={() => {
              setIsAsked(false);
              setSignedIn(signedIn + 1);
            }}
          />
        ) : (
          <Shown key={signedIn} place={place} />
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

function SignIn({ done }: { done: () => void }) {
  return (
    <form
      class="card sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        signIn(String(new FormData(event.currentTarget).get('credential')).trim());
        done();
      }}
    >
      <h1>Sign in</h1>
      <label>
        Key or token <input name="credential" type="password" autocomplete="off" required />
      </label>
      <p class="dim">The page holds it in memory only. A reload forgets it.</p>
      <button type="submit">Sign in</button>
    </form>
  );
}

const root = document.getElementById('console');
if (root) render(<Console />, root);
