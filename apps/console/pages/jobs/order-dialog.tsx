import { useRef, useState } from 'preact/hooks';
import type { Operations } from '#client';
import { call, newKey, Refused, reasonOf } from '../../data/call';
import { type Counted, numberOf, type Selected } from '../../data/current-of';
import { Modal } from '../../modal';
import { nameOf, short } from '../../timeline/model';
import { Of } from './of';

export interface Order {
  select: Selected;
  action: 'end' | 'release';
  reason: string;
}

interface Props {
  order: Order;
  counted: Counted;
  closed(): void;
}

const VERB = { end: 'End', release: 'Release' } as const;

/** Shows what was counted, and orders the job once somebody has agreed. Sent again, it is the same job. */
export function OrderDialog({ order, counted, closed }: Props) {
  const key = useRef(newKey());
  const [job, setJob] = useState<Operations['startBulk']['answer']>();
  const [trouble, setTrouble] = useState<string>();
  const [isSending, setIsSending] = useState(false);
  const send = async () => {
    setIsSending(true);
    setTrouble(undefined);
    try {
      setJob(await call('startBulk', { body: order, idempotencyKey: key.current }));
    } catch (error) {
      const isUnknown = error instanceof Refused && error.status === 0;
      setTrouble(isUnknown ? 'No answer arrived. Send it again: it stays one job.' : reasonOf(error));
    }
    setIsSending(false);
  };
  return (
    <Modal labelledBy="order-job" closed={closed}>
      <div class="stack">
        <h1 id="order-job">{job ? 'Job started' : `${VERB[order.action]} ${numberOf(counted)}?`}</h1>
        {trouble && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        {job ? (
          <p role="status">
            This is job <b>{job.jobId}</b>. It continues if you close this page. The list shows its progress.
          </p>
        ) : (
          <>
            <p>
              {VERB[order.action]} <Of select={order.select} />: {statusesOf(counted)}. Reason:{' '}
              <bdi>{order.reason}</bdi>.
            </p>
            <Examples counted={counted} />
            <p class="dim">
              The job changes each session under the epoch that it has at that moment. Sessions that start
              after the job has passed their place are not changed. A job cannot be cancelled.
            </p>
          </>
        )}
        <div class="buttons">
          {!job && (
            <button type="button" class="danger" disabled={isSending} onClick={() => void send()}>
              {isSending ? 'Sending…' : `${VERB[order.action]} them`}
            </button>
          )}
          <button type="button" onClick={closed}>
            {job ? 'Close' : 'Cancel'}
          </button>
        </div>
      </div>
    </Modal>
  );
}

const statusesOf = ({ byStatus }: Counted) =>
  Object.entries(byStatus)
    .map(([status, count]) => `${count.toLocaleString('en')} ${status}`)
    .join(', ');

function Examples({ counted: { first, count } }: { counted: Counted }) {
  return (
    <div class="facts">
      {first.map((session) => (
        <p key={session.sessionId}>
          <bdi>{session.scope.userId}</bdi> · <bdi>{session.scope.projectId}</bdi>
          <span class="dim">
            {' '}
            {short(session.sessionId)}, {session.status}, {nameOf(session.owner)}, epoch {session.epoch}
          </span>
        </p>
      ))}
      {count > first.length && <p class="dim">and {(count - first.length).toLocaleString('en')} more</p>}
    </div>
  );
}
