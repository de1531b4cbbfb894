import { useState } from 'preact/hooks';
import type { Session } from '#client';
import { addressOf } from '../data/location';
import { useMay } from '../signing-in/allowed';
import { ACTS, type Act } from './act';
import { ActDialog } from './act-dialog';

/** What may be done to a session, for who may do it: an operator who may write. */
export function Acts({ session }: { session: Session }) {
  const mayAct = useMay('read', 'write', 'operate');
  const mayErase = useMay('operate');
  const [act, setAct] = useState<Act>();
  if (!mayErase) return null;
  const possible = mayAct ? ACTS.filter((one) => one.isFor(session)) : [];
  return (
    <div class="buttons">
      {possible.map((one) => (
        <button key={one.name} type="button" onClick={() => setAct(one)}>
          {one.title}…
        </button>
      ))}
      <a href={addressOf('erase', session.scope)}>Erase details…</a>
      {act && <ActDialog act={act} sessionId={session.sessionId} closed={() => setAct(undefined)} />}
    </div>
  );
}
