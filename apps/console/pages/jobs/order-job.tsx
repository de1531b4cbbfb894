import { useRef, useState } from 'preact/hooks';
import { reasonOf } from '../../data/call';
import { type Counted, countCurrent, numberOf, type Selected } from '../../data/current-of';
import { useMay } from '../../signing-in/allowed';
import { type Order, OrderDialog } from './order-dialog';

/** Which sessions to end or release: they are counted before anything is ordered. */
export function OrderJob() {
  const mayCount = useMay('read');
  const [by, setBy] = useState<'environment' | 'user'>('environment');
  const [order, setOrder] = useState<Order>();
  const [counted, setCounted] = useState<Counted>();
  const [isCounting, setIsCounting] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const counting = useRef<AbortController>(undefined);
  const forget = () => {
    counting.current?.abort();
    setOrder(undefined);
    setCounted(undefined);
  };
  const count = async (next: Order) => {
    forget();
    const stop = new AbortController();
    counting.current = stop;
    setTrouble(undefined);
    setIsCounting(true);
    try {
      await countCurrent(next.select, stop.signal, setCounted);
      setOrder(next);
    } catch (error) {
      if (!stop.signal.aborted) setTrouble(reasonOf(error));
    }
    if (counting.current === stop) setIsCounting(false);
  };
  if (!mayCount)
    return (
      <p class="card dim">
        To start a job here you also need the permission read, because the page counts the sessions first.
      </p>
    );
  return (
    <section class="card" aria-labelledby="order">
      <h2 id="order">Start a job</h2>
      <form
        class="filters"
        onInput={forget}
        onSubmit={(event) => {
          event.preventDefault();
          void count(orderIn(new FormData(event.currentTarget)));
        }}
      >
        <label>
          <select name="action">
            <option value="end">End</option>
            <option value="release">Release</option>
          </select>{' '}
          all sessions of
        </label>
        <label>
          <select
            name="by"
            aria-label="Whose"
            value={by}
            onChange={(event) => setBy(event.currentTarget.value === 'user' ? 'user' : 'environment')}
          >
            <option value="environment">an environment</option>
            <option value="user">a user</option>
          </select>
        </label>
        {by === 'user' ? (
          <label>
            user <input name="userId" required maxLength={256} autocomplete="off" />
          </label>
        ) : (
          <>
            <label>
              environment <input name="environment" required maxLength={256} autocomplete="off" />
            </label>
            <label>
              instance <input name="instance" maxLength={256} autocomplete="off" placeholder="any" />
            </label>
          </>
        )}
        <label>
          reason <input name="reason" required maxLength={64} autocomplete="off" />
        </label>
        <button type="submit" disabled={isCounting}>
          {isCounting ? 'Counting…' : 'Count first'}
        </button>
      </form>
      {trouble && (
        <p class="trouble" role="alert">
          {trouble}
        </p>
      )}
      {counted && isCounting && <p role="status">{numberOf(counted)} so far…</p>}
      {order && counted?.count === 0 && <p role="status">No current session matches.</p>}
      {order && counted && counted.count > 0 && (
        <OrderDialog order={order} counted={counted} closed={forget} />
      )}
    </section>
  );
}

function orderIn(form: FormData): Order {
  const text = (name: string) => String(form.get(name) ?? '');
  const [userId, environment, instance] = [text('userId'), text('environment'), text('instance')];
  const select: Selected =
    form.get('by') === 'user' ? { userId } : { environment, ...(instance !== '' && { instance }) };
  return { select, action: text('action') === 'release' ? 'release' : 'end', reason: text('reason') };
}
