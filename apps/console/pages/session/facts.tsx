import type { ComponentChildren } from 'preact';
import type { Session, UsageTotals } from '#client';
import { addressOf } from '../../data/location';
import { OwnerName, ScopeLink, SessionLink, when } from '../parts/shown';

/** What is known of a session; what it does not have is left out. */
export function Facts({ session }: { session: Session }) {
  const { status, endCause, endReason, endedBy, lease, reservedFor, reservedUntil, policy } = session;
  const { invalid, handles, attributes, recoveredFrom, previousRootId, fromCheckpoint } = session;
  return (
    <section class="card" aria-labelledby="facts">
      <h2 id="facts">Facts</h2>
      <dl>
        <Fact name="Scope">
          <ScopeLink scope={session.scope} />
        </Fact>
        <Fact name="Status">
          <i class={`swatch ${status}`} />
          {[status, endCause, endReason].filter(Boolean).join(', ')}
          {session.resetAdvised && <span class="advice">reset advised</span>}
        </Fact>
        <Fact name="Owner">
          <OwnerName owner={session.owner} />
          {!session.owner && session.previousOwner && (
            <>
              , previously <OwnerName owner={session.previousOwner} />
            </>
          )}
        </Fact>
        {reservedFor && (
          <Fact name="Reserved for">
            <OwnerName owner={reservedFor} />
            {reservedUntil && ` until ${when(reservedUntil, 23)}`}
          </Fact>
        )}
        {endedBy && (
          <Fact name="Ended by">
            <OwnerName owner={endedBy} />
          </Fact>
        )}
        <Fact name="Started by">
          <bdi>{session.principal}</bdi>
        </Fact>
        <Fact name="Epoch, revision">
          {session.epoch}, {session.revision}
        </Fact>
        <Fact name="Started (UTC)">{when(session.startedAt, 23)}</Fact>
        {session.endedAt && <Fact name="Ended (UTC)">{when(session.endedAt, 23)}</Fact>}
        {session.expiresAt && <Fact name="Expires (UTC)">{when(session.expiresAt, 23)}</Fact>}
        {session.drainUntil && <Fact name="Drains until">{when(session.drainUntil, 23)}</Fact>}
        {lease && (
          <Fact name="Lease">
            {`${lease.seconds} s, renewed on ${lease.renewOn ?? 'heartbeat'}; on lapse: ${lease.onLapse ?? 'release'}`}
          </Fact>
        )}
        {session.versionId !== undefined && (
          <Fact name="Version">
            <bdi>{session.versionId}</bdi>
          </Fact>
        )}
        {session.reason !== undefined && <Fact name="Made by">rotation, {session.reason}</Fact>}
        {recoveredFrom && (
          <Fact name="Continues">
            <SessionLink id={recoveredFrom} />
            {fromCheckpoint !== undefined && (
              <>
                , from the checkpoint <bdi>{fromCheckpoint}</bdi>
              </>
            )}
          </Fact>
        )}
        {previousRootId && (
          <Fact name="Chain before">
            <SessionLink id={previousRootId} />
          </Fact>
        )}
        {invalid && (
          <Fact name="Invalid">
            <span class="refused">{invalid.reason}</span>, {when(invalid.at, 23)}
          </Fact>
        )}
        {policy && (
          <Fact name="Policy">
            {Object.entries(policy)
              .map(([name, value]) => `${name} ${value}`)
              .join(', ')}
          </Fact>
        )}
        {handles && handles.length > 0 && (
          <Fact name="Handles">
            <bdi>{handles.map(({ kind }) => kind).join(', ')}</bdi> <span class="dim">(kinds only)</span>
          </Fact>
        )}
        {session.usage && <Fact name="Used">{usageIn(session.usage)}</Fact>}
        <Fact name="Attributes">
          {attributes === 'erased' ? (
            <span class="refused">erased</span>
          ) : Object.keys(attributes).length === 0 ? (
            <span class="dim">none</span>
          ) : (
            <pre>{JSON.stringify(attributes, null, 2)}</pre>
          )}
        </Fact>
      </dl>
      <p class="pages">
        <a href={addressOf('scope', session.scope)}>Owners of the scope over time</a>
      </p>
    </section>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** In words; a sum that is 0 is left out. */
export function usageIn(usage: UsageTotals): string {
  const { operations, cachedTokens, durationMs } = usage;
  return [
    `${count(operations)} operation${operations === 1 ? '' : 's'}`,
    ...tokensAndCost(usage),
    cachedTokens > 0 && `${count(cachedTokens)} cached`,
    durationMs > 0 && `${(durationMs / 1_000).toLocaleString('en')} s`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** Tokens and money: what is compared from session to session. */
export const usageInShort = (usage: UsageTotals): string =>
  tokensAndCost(usage).join(' · ') ||
  `${count(usage.operations)} operation${usage.operations === 1 ? '' : 's'}`;

const tokensAndCost = ({ inputTokens, outputTokens, cost }: UsageTotals): string[] => [
  ...(inputTokens > 0 ? [`${count(inputTokens)} in`] : []),
  ...(outputTokens > 0 ? [`${count(outputTokens)} out`] : []),
  ...Object.entries(cost).map(([currency, amount]) => `${amount} ${currency}`),
];

const count = (number: number) => number.toLocaleString('en');
