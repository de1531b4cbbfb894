import { useState } from 'preact/hooks';
import { Refused, reasonOf, send } from '../data/call';
import { type Caller, inWords, signedIn } from '../data/credential';
import { useAccess } from '../data/use-access';
import { Modal } from '../modal';

/** Asks for a key or a token, and tries it before anything else is sent with it. */
export function SignIn() {
  const { why } = useAccess();
  const [trouble, setTrouble] = useState<string>();
  const [isTrying, setIsTrying] = useState(false);
  const submit = async (given: string) => {
    setIsTrying(true);
    setTrouble(undefined);
    try {
      signedIn(given, await callerBy(given));
    } catch (error) {
      setTrouble(inWords(reasonOf(error)));
      setIsTrying(false);
    }
  };
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void submit(String(new FormData(event.currentTarget).get('credential')).trim());
      }}
    >
      <h1 id="sign-in">Sign in</h1>
      {(trouble ?? why) && (
        <p class="trouble" role="alert">
          {trouble ?? why}
        </p>
      )}
      <label>
        Key or token
        <input name="credential" type="password" autocomplete="off" spellcheck={false} required />
      </label>
      <p class="dim">
        The page keeps it only in memory, never in a URL, cookie or storage. A reload forgets it.
      </p>
      <div class="buttons">
        <button type="submit" class="main" disabled={isTrying}>
          {isTrying ? 'Signing in…' : 'Sign in'}
        </button>
      </div>
    </form>
  );
}

/** Over a page whose credential counts no more. What it shows stays, and goes on once somebody has signed in. */
export function SignInAgain() {
  const [isPutOff, setIsPutOff] = useState(false);
  if (isPutOff)
    return (
      <p class="trouble" role="status">
        The page is paused until you sign in again.{' '}
        <button type="button" onClick={() => setIsPutOff(false)}>
          Sign in
        </button>
      </p>
    );
  return (
    <Modal labelledBy="sign-in" closed={() => setIsPutOff(true)}>
      <SignIn />
    </Modal>
  );
}

async function callerBy(given: string): Promise<Caller> {
  if (!/^[\x21-\x7e]+$/.test(given))
    throw new Refused(0, 'A key or token has only ASCII characters and no spaces. Copy all of it.');
  const response = await send('/v1/access', { tries: given });
  return (await response.json()) as Caller;
}
