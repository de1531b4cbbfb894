import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Session } from '#client';
import { reasonOf } from '../../data/call';
import { type ChainPart, type Link, readChain } from '../../data/chain-links';
import { useLatest } from '../../data/use-latest';
import { OwnerName, SessionLink, Trouble, when } from '../parts/shown';
import { usageIn, usageInShort } from './facts';

/** Pixels; style.css has the same. Rows are of one height, so that it is known which are seen. */
const ROW = 34;
const SEEN = 12;
/** Rows above and below those that are seen. */
const BESIDE = 6;
/** What browsers can scroll has a limit: 500,000 rows are below it. */
const MOST_ROWS = 500_000;

interface Shown extends ChainPart {
  /** Links after this session, where the list begins with it. */
  newer: number;
  /** Its chain is the scope's latest. */
  isLatest: boolean;
}

/** The chain that a session is in, from its tip to its root. Only what is seen is drawn, and read. */
export function Chain({ session }: { session: Session }) {
  const [shown, setShown] = useState<Shown>();
  const [trouble, setTrouble] = useState<string>();
  const [isFromTip, setFromTip] = useState(false);
  const { sessionId, successorId } = session;
  useEffect(() => {
    const stop = new AbortController();
    begin(session, isFromTip, stop.signal).then(
      (found) => {
        setTrouble(undefined);
        setShown(found);
      },
      (error: unknown) => stop.signal.aborted || setTrouble(reasonOf(error)),
    );
    return () => stop.abort();
  }, [sessionId, successorId, isFromTip]);
  const beginPage = useLatest();
  const isReading = useRef(false);
  const readOn = () => {
    if (!shown || shown.next === undefined || isReading.current) return;
    isReading.current = true;
    const signal = beginPage();
    readChain(session.scope, { part: shown }, signal)
      .then(
        (part) => setShown((now) => (now === shown ? { ...shown, ...part } : now)),
        (error: unknown) => signal.aborted || setTrouble(reasonOf(error)),
      )
      .finally(() => {
        isReading.current = false;
      });
  };
  return (
    <section class="card" aria-labelledby="chain">
      <h2 id="chain">Chain</h2>
      <Trouble text={trouble} />
      {shown && (
        <>
          <p class="dim">
            {shown.newer > 0 && !isFromTip && (
              <>
                {`${shown.newer.toLocaleString('en')} newer ${shown.newer === 1 ? 'link follows' : 'links follow'} this session. `}
                <button type="button" onClick={() => setFromTip(true)}>
                  Show from the tip
                </button>{' '}
              </>
            )}
            {!shown.isLatest && successorId && (
              <>
                This chain is not the latest one; <SessionLink id={successorId} /> followed this session.{' '}
              </>
            )}
            {shown.usage && shown.usage.operations > 0 && `The whole chain used ${usageIn(shown.usage)}.`}
          </p>
          <Links part={shown} own={sessionId} readOn={readOn} />
        </>
      )}
    </section>
  );
}

/** From the tip of the scope's latest chain where the session is near it, else from the session itself. */
async function begin(session: Session, isFromTip: boolean, signal: AbortSignal): Promise<Shown> {
  const { scope, sessionId, rootId, chainLength } = session;
  const latest = await readChain(scope, {}, signal);
  const isLatest = latest.rootId === rootId;
  const isNear = latest.links.some((link) => link.sessionId === sessionId);
  if (isLatest && (isNear || isFromTip)) return { ...latest, newer: 0, isLatest };
  const own = await readChain(scope, { sessionId }, signal);
  return { ...own, newer: isLatest ? latest.total - chainLength : 0, isLatest };
}

function Links({
  part: { links, total },
  own,
  readOn,
}: {
  part: ChainPart;
  own: string;
  readOn: () => void;
}) {
  const scroller = useRef<HTMLElement>(null);
  const [top, setTop] = useState(0);
  const rows = Math.min(total, MOST_ROWS);
  const first = Math.max(0, Math.min(top - BESIDE, rows - 1));
  const last = Math.min(rows, top + SEEN + BESIDE);
  useEffect(() => {
    if (last > links.length) readOn();
  });
  // This session is seen from the beginning.
  useLayoutEffect(() => {
    const at = links.findIndex(({ sessionId }) => sessionId === own);
    if (scroller.current && at >= SEEN) scroller.current.scrollTop = (at - SEEN / 2) * ROW;
  }, [own]);
  return (
    <section
      ref={scroller}
      class="links"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys
      tabIndex={0}
      aria-label={`Chain, ${rows} links, the newest first`}
      onScroll={(event) => setTop(Math.floor(event.currentTarget.scrollTop / ROW))}
    >
      <table aria-rowcount={rows + 1}>
        <thead>
          <tr aria-rowindex={1}>
            <th class="link-number">Link</th>
            <th class="link-session">Session</th>
            <th>Status</th>
            <th class="link-reason">Reason</th>
            <th>Version</th>
            <th>Owner</th>
            <th class="link-time">Started (UTC)</th>
            <th class="link-usage">Used</th>
          </tr>
        </thead>
        <tbody>
          <Space rows={first} />
          {Array.from({ length: last - first }, (_, at) => {
            const index = first + at;
            const link = links[index];
            if (!link) return <Unread key={index} index={index} />;
            return <LinkRow key={link.sessionId} link={link} index={index} isOwn={link.sessionId === own} />;
          })}
          <Space rows={rows - last} />
        </tbody>
      </table>
    </section>
  );
}

/** In place of rows that are not seen. */
const Space = ({ rows }: { rows: number }) =>
  rows <= 0 ? null : <tr style={{ height: `${rows * ROW}px` }} />;

const Unread = ({ index }: { index: number }) => (
  <tr aria-rowindex={index + 2}>
    <td colSpan={8} class="dim">
      Reading…
    </td>
  </tr>
);

function LinkRow({ link, index, isOwn }: { link: Link; index: number; isOwn: boolean }) {
  const { sessionId, chainLength, status, endCause, versionId, owner, usage } = link;
  return (
    <tr
      aria-rowindex={index + 2}
      aria-current={isOwn ? 'true' : undefined}
      class={`${index === 0 ? 'tip' : ''} ${chainLength === 1 ? 'root' : ''}`}
    >
      <td class="link-number">
        <i class={`dot ${link.isInvalid ? 'bad' : status}`} />
        {chainLength}
      </td>
      <td>
        <SessionLink id={sessionId} />
      </td>
      <td>
        {[status, endCause].filter(Boolean).join(', ')}
        {link.isInvalid && endCause !== 'invalid' && ', invalid'}
      </td>
      <td>
        <Reason link={link} />
      </td>
      <td title={versionId}>
        <bdi>{versionId}</bdi>
      </td>
      <td>
        <OwnerName owner={owner} />
      </td>
      <td>{when(link.startedAt)}</td>
      <td class="link-usage" title={usage && usageIn(usage)}>
        {usage && usageInShort(usage)}
      </td>
    </tr>
  );
}

/** Why there is this link. */
function Reason({ link: { reason, recoveredFrom, previousRootId, chainLength } }: { link: Link }) {
  if (recoveredFrom)
    return (
      <>
        recovery, from <SessionLink id={recoveredFrom} />
      </>
    );
  if (previousRootId)
    return (
      <>
        {reason ?? 'new chain'}, after <SessionLink id={previousRootId} />
      </>
    );
  return <>{reason ?? (chainLength === 1 ? 'started' : '')}</>;
}
