import { useEffect, useRef, useState } from 'preact/hooks';
import type { CommandAnswer, Session } from '#client';
import { rest } from '#waiting';
import { call, newKey, Refused, reasonOf, troubleOf } from '../data/call';
import { addressOf } from '../data/location';
import { useAccess } from '../data/use-access';
import { Modal } from '../modal';
import { short } from '../timeline/model';
import type { Act, Given } from './act';
import { Facts } from './facts';
import { FieldOf, givenIn } from './field';

const AGAIN_MS = 2_000;

interface Props {
  act: Act;
  sessionId: string;
  closed(): void;
}

/** Shows the session as it is now, asks, does it under the epoch that was shown, and says what came of it. */
export function ActDialog({ act, sessionId, closed }: Props) {
  const { caller } = useAccess();
  const [session, setSession] = useState<Session>();
  const [before, setBefore] = useState<Session>();
  const [answer, setAnswer] = useState<CommandAnswer>();
  const [trouble, setTrouble] = useState<string>();
  /** Another session that is current by now. */
  const [other, setOther] = useState<string>();
  const [isSending, setIsSending] = useState(false);
  const keyOf = useKeys();
  useEffect(() => {
    const stop = new AbortController();
    const read = () =>
      call('session', { params: { sessionId }, signal: stop.signal }).then(
        (found) => {
          setSession(found);
          setTrouble(undefined);
        },
        (error: unknown) => {
          if (stop.signal.aborted) return;
          setTrouble(troubleOf(error));
          void rest(AGAIN_MS, stop.signal).then(() => (stop.signal.aborted ? undefined : read()));
        },
      );
    void read();
    return () => stop.abort();
  }, [sessionId]);
  const send = async (shown: Session, given: Given) => {
    setIsSending(true);
    setTrouble(undefined);
    try {
      setAnswer(await act.send(shown, given, keyOf([shown.sessionId, shown.epoch, given])));
    } catch (error) {
      const now = error instanceof Refused ? (error.problem?.current ?? error.problem?.last) : undefined;
      setTrouble(whyNot(error, shown, now));
      if (now && now.sessionId !== shown.sessionId) setOther(now.sessionId);
      // What is current by now may be another session: then this one has to be read again.
      const same = now?.sessionId === shown.sessionId ? now : await readAgain(error, shown);
      if (same) {
        setBefore(shown);
        setSession(same);
      }
    }
    setIsSending(false);
  };
  return (
    <Modal labelledBy="act" closed={closed}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (session && !answer) void send(session, givenIn(event.currentTarget));
        }}
      >
        <h1 id="act">{answer ? `${act.title}: ${answer.outcome}` : `${act.title}: this session?`}</h1>
        {!answer && <p>{act.effect}</p>}
        {trouble && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        {other && <CurrentIs id={other} closed={closed} />}
        {answer ? (
          <Done answer={answer} before={session} closed={closed} />
        ) : (
          session && <Facts session={session} before={before} />
        )}
        {session &&
          !answer &&
          act.fields(caller?.environments).map((field) => <FieldOf key={field.name} {...field} />)}
        <div class="buttons">
          {session && !answer && act.isFor(session) && (
            <button type="submit" class={act.isGrave ? 'danger' : 'main'} disabled={isSending}>
              {isSending ? 'Sending…' : `${act.title} at epoch ${session.epoch}`}
            </button>
          )}
          <button type="button" onClick={closed}>
            {answer ? 'Close' : 'Cancel'}
          </button>
        </div>
      </form>
    </Modal>
  );
}

interface Told {
  answer: CommandAnswer;
  before: Session | undefined;
  closed(): void;
}

/** The event that was made, and what the session is since. */
function Done({ answer: { outcome, session, position, current }, before, closed }: Told) {
  const isNew = outcome !== 'unchanged' && !outcome.startsWith('already');
  return (
    <>
      <p role="status">
        {isNew ? 'The ledger wrote event ' : 'Nothing to do: this is already event '}
        <b>
          {position.partition}:{position.sequence}
        </b>
        .{' '}
        <a href={addressOf('scope', session.scope)} onClick={closed}>
          See it on the timeline
        </a>
      </p>
      <Facts session={session} before={before?.sessionId === session.sessionId ? before : undefined} />
      {current && current.sessionId !== session.sessionId && (
        <CurrentIs id={current.sessionId} closed={closed} />
      )}
    </>
  );
}

const CurrentIs = ({ id, closed }: { id: string; closed(): void }) => (
  <p>
    The current session is{' '}
    <a href={addressOf('session', { id })} onClick={closed}>
      {short(id)}
    </a>
    .
  </p>
);

/** The session as it is after a refusal; undefined when nothing was refused, or it cannot be read. */
async function readAgain(error: unknown, { sessionId }: Session): Promise<Session | undefined> {
  if (!(error instanceof Refused) || error.status !== 409) return undefined;
  return call('session', { params: { sessionId } }).catch(() => undefined);
}

/** The same request gets the same key, so that it is done once however often it is sent. */
function useKeys(): (request: unknown) => string {
  const last = useRef({ request: '', key: '' });
  return (request) => {
    const text = JSON.stringify(request);
    if (last.current.request !== text) last.current = { request: text, key: newKey() };
    return last.current.key;
  };
}

function whyNot(error: unknown, shown: Session, now: Session | undefined): string {
  const { status, problem } = error instanceof Refused ? error : { status: undefined, problem: undefined };
  if (status === 0 || problem?.type.endsWith('/unknown-outcome'))
    return 'No answer arrived, so the outcome is unknown. Send it again: it takes effect at most once.';
  if (status !== 409 || !now) return `Nothing was changed. ${reasonOf(error)}`;
  if (now.sessionId !== shown.sessionId)
    return `Nothing was changed: another session, ${short(now.sessionId)}, is current now.`;
  if (now.epoch !== shown.epoch)
    return `Nothing was changed: the session moved from epoch ${shown.epoch} to ${now.epoch} after it was shown. Its new state is below.`;
  return `Nothing was changed. ${reasonOf(error)}`;
}
