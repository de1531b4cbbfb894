import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { onSignInNeeded, signIn } from './data/call';
import { addressOf, type Place, usePlace } from './data/location';
import { Find, FindPage } from './pages/find';
import { HoldersPage } from './pages/holders';
import { OverviewPage } from './pages/overview';
import { Boundary } from './pages/parts/boundary';
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
          <Boundary key={signedIn} place={addressOf(place.page, place.about)}>
            <Shown place={place} />
          </Boundary>
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
  if (page === 'find') return <FindPage />;
  if (page === 'holders') return <HoldersPage about={about} />;
  return <OverviewPage />;
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
