import type { Operations } from '#client';
import { OwnerName, when } from '../parts/shown';

type Refusal = Operations['session']['answer']['refusals'][number];

/** Stops that named the session and were not obeyed. */
export function Refusals({ refusals }: { refusals: readonly Refusal[] }) {
  return (
    <section class="card" aria-labelledby="refusals">
      <h2 id="refusals">Ignored stops</h2>
      {refusals.length === 0 ? (
        <p class="dim">None. Other refused commands are only counted.</p>
      ) : (
        <table class="refusals">
          <thead>
            <tr>
              <th>Time (UTC)</th>
              <th>Who</th>
              <th>Why</th>
              <th class="number">Its epoch</th>
              <th class="number">Times</th>
              <th>Event</th>
            </tr>
          </thead>
          <tbody>
            {refusals.map((one) => (
              <tr key={`${one.position.partition}:${one.position.sequence}`}>
                <td>{one.archived ? <span class="dim">in the archive</span> : when(one.at, 23)}</td>
                <td>
                  {one.archived ? <span class="dim">in the archive</span> : <OwnerName owner={one.origin} />}
                </td>
                <td class="refused">{one.why}</td>
                <td class="number">{one.epoch}</td>
                <td class="number">{one.count}</td>
                <td>
                  {one.position.partition}:{one.position.sequence}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
