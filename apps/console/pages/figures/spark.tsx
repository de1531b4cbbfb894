import { MOST_SAMPLES } from '../../data/samples';

const [WIDTH, HEIGHT] = [200, 40];

/** A small plot of the last minutes, from 0 up to `most` or what there was. It tells in words what it shows. */
export function Spark({
  values,
  name,
  most = 1,
}: {
  values: (number | undefined)[];
  name: string;
  most?: number;
}) {
  const known = values.filter((value) => value !== undefined);
  const top = Math.max(most, ...known);
  const x = (at: number) => ((MOST_SAMPLES - values.length + at) / (MOST_SAMPLES - 1)) * WIDTH;
  const y = (value: number) => HEIGHT - 2 - (value / top) * (HEIGHT - 4);
  const points = values.flatMap((value, at) =>
    value === undefined ? [] : [`${x(at).toFixed(1)},${y(value).toFixed(1)}`],
  );
  const last = points.at(-1)?.split(',');
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${name}: at most ${shown(Math.max(0, ...known))} in the last minutes`}
    >
      <line x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
      {points.length > 1 && (
        <polygon
          points={`${points[0]?.split(',')[0]},${HEIGHT - 1} ${points.join(' ')} ${last?.[0]},${HEIGHT - 1}`}
        />
      )}
      <polyline points={points.join(' ')} />
    </svg>
  );
}

const shown = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 1 });
