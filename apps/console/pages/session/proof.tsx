import { useState } from 'preact/hooks';
import { reasonOf } from '../../data/call';
import {
  faultOf,
  keysIn,
  keysOfService,
  type Proven,
  proveEvent,
  type Trusted,
  unableToProve,
} from '../../data/event-proof';
import { useLatest } from '../../data/use-latest';
import { Trouble } from '../parts/shown';

/** Whose signatures count. It is given once for all events that this page proves, and a reload forgets it. */
let trusted: Trusted | undefined;

interface Outcome {
  proven?: Proven;
  fault?: ReturnType<typeof faultOf>;
}

/** Proves an event by computing: the service is asked for the proof, and not for whether it is right. */
export function Proof({ position, text }: { position: string; text: string }) {
  const [isAsking, setAsking] = useState(false);
  const [isProving, setProving] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>({});
  const begin = useLatest();
  const unable = unableToProve();
  if (unable !== undefined) return <p class="trouble">{unable}</p>;
  const prove = async (by: Trusted) => {
    trusted = by;
    setAsking(false);
    setProving(true);
    const signal = begin();
    const told = await proveEvent({ position, text }, by, signal).then(
      (proven) => ({ proven }),
      (error: unknown) => ({ fault: faultOf(error) }),
    );
    if (signal.aborted) return;
    setProving(false);
    setOutcome(told);
  };
  return (
    <div class="proof">
      <p>
        <button
          type="button"
          disabled={isProving}
          onClick={() => (trusted ? void prove(trusted) : setAsking(true))}
        >
          Prove this event
        </button>{' '}
        {trusted && (
          <button type="button" onClick={() => setAsking(true)}>
            Use another key
          </button>
        )}
      </p>
      {isAsking && <KeyForm given={prove} />}
      <div role="status">
        {isProving && 'Proving…'}
        {!isProving && outcome.proven && <Shown proven={outcome.proven} />}
        {!isProving && outcome.fault && (
          <p class="trouble">
            {outcome.fault.isDisproven ? <b class="refused">Not proven. </b> : 'The check failed. '}
            {outcome.fault.text}
          </p>
        )}
      </div>
    </div>
  );
}

function KeyForm({ given }: { given: (trusted: Trusted) => void }) {
  const [trouble, setTrouble] = useState<string>();
  const take = async (by: Trusted['by'], keys: () => string[] | Promise<string[]>) => {
    try {
      given({ keys: await keys(), by });
    } catch (error) {
      setTrouble(reasonOf(error));
    }
  };
  return (
    <form
      class="key-form"
      onSubmit={(event) => {
        event.preventDefault();
        const text = String(new FormData(event.currentTarget).get('key'));
        void take('you', () => keysIn(text));
      }}
    >
      <label>
        Verifier keys of the ledger, one per line
        <textarea name="key" rows={2} spellcheck={false} placeholder="ledger.example.com+1a2b3c4d+…" />
      </label>
      <p class="dim">
        Enter the key that you obtained when you trusted the ledger. A key from the same server proves only
        that its answers are consistent: an attacker who can forge the log can also forge the key.
      </p>
      <p>
        <button type="submit">Use this key</button>{' '}
        <button
          type="button"
          onClick={() => void take('the service', () => keysOfService(AbortSignal.timeout(20_000)))}
        >
          Use the key that this service reports
        </button>
      </p>
      <Trouble text={trouble} />
    </form>
  );
}

function Shown({ proven }: { proven: Proven }) {
  const { position, bytes, leaf, hashes, root, by, proof } = proven;
  const { origin, size, signedBy } = proven.checkpoint;
  const count = (number: number) => number.toLocaleString('en');
  return (
    <div class="proven">
      <p>
        <b class="good">Proven</b>: this event is at {position} in the log of <bdi>{origin}</bdi>.
      </p>
      <dl>
        <dt>Leaf</dt>
        <dd>
          <code>{leaf}</code>
          <br />
          SHA-256 of a zero byte and the {count(bytes)} bytes above
        </dd>
        <dt>Root</dt>
        <dd>
          <code>{root}</code>
          <br />
          {hashes === 0
            ? 'the leaf itself: it is the only event'
            : `computed from the leaf by ${count(hashes)} hash${hashes === 1 ? '' : 'es'} of the proof`}
          ; the same as in the checkpoint
        </dd>
        <dt>Checkpoint</dt>
        <dd>
          <bdi>{origin}</bdi>, of {count(size)} events, signed by the key{' '}
          <bdi>
            <b>{signedBy.join(', ')}</b>
          </bdi>
        </dd>
        <dt>Trust</dt>
        <dd>
          {by === 'you'
            ? 'You entered the key.'
            : 'The key is the one that this service reports. This proves only that its answers are consistent. To prove the log, enter a key from another source.'}
        </dd>
      </dl>
      <details>
        <summary>The proof, for other tools</summary>
        <pre class="raw">{proof}</pre>
      </details>
      <p class="dim">
        Computed in this browser from the event's bytes. docs/audit.md of the project says what this proves
        and what it does not. The requests are in <a href="/docs">the API</a>.
      </p>
    </div>
  );
}
