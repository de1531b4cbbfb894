import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from './harness.js';
import type { Machine, Report } from './report.js';

const WIDTH = 860;
const COLOURS = ['#2563eb', '#0891b2', '#9ca3af', '#d97706', '#65a30d', '#be185d'];
const STYLE = `<style>
  text { font: 12px system-ui, sans-serif; fill: #374151 } .small { font-size: 10px; fill: #6b7280 }
  .title { font-weight: 600; font-size: 14px; fill: #111827 } .grid { stroke: #e5e7eb } .even { stroke: #6b7280 }
  .spread { stroke: #111827; stroke-width: 1.5 }
</style>`;

/**
 * Draws a run: `w1-ratios.svg` and the like, and `w1-callers.svg` when W1 was measured with at least three
 * numbers of callers.
 */
export async function draw({ machine, workloads }: Report, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  for (const [id, rows] of Object.entries(workloads)) {
    const name = join(directory, id.toLowerCase());
    await writeFile(`${name}-ratios.svg`, ratios(id, rows, machine));
    const lines = id === 'W1' ? byCallers(rows, machine) : undefined;
    if (lines) await writeFile(`${name}-callers.svg`, lines);
  }
}

type Ratio = Row & Required<Pick<Row, 'ratio' | 'spread' | 'against'>>;

/** A bar for each comparison, from 1 to its median, with its lowest and highest; the axis counts doublings. */
export function ratios(id: string, all: readonly Row[], machine: Machine): string {
  const rows = all.filter(isRatio);
  const ends = rows.flatMap(({ spread }) => spread);
  const low = Math.floor(Math.log2(Math.min(0.5, ...ends)));
  const high = Math.ceil(Math.log2(Math.max(2, ...ends)));
  const [left, right] = [430, WIDTH - 60];
  const x = (ratio: number) => left + ((Math.log2(ratio) - low) / (high - low)) * (right - left);
  const bars = rows.flatMap((row, at) => {
    const y = 64 + 30 * at;
    const [from, to] = [Math.min(x(1), x(row.ratio)), Math.max(x(1), x(row.ratio))];
    const name = `${short(row.case, 48)}, ${row.callers} ${row.callers === 1 ? 'caller' : 'callers'}`;
    const measure = row.of === 'ops' || row.of === undefined ? '' : `${row.of}, less is better; `;
    return [
      text(left - 12, y + 1, name, 'name', 'end'),
      text(left - 12, y + 13, short(`${measure}against ${row.against}`, 78), 'small', 'end'),
      rect(from, y - 8, Math.max(1, to - from), 14, COLOURS[measure ? 1 : 0]!),
      line(x(row.spread[0]), y - 1, x(row.spread[1]), y - 1, 'spread'),
      ...row.spread.map((end) => line(x(end), y - 5, x(end), y + 3, 'spread')),
      text(right + 12, y + 3, `×${row.ratio.toFixed(2)}`),
    ];
  });
  const bottom = 64 + 30 * rows.length;
  const ticks = Array.from({ length: high - low + 1 }, (_, n) => 2 ** (low + n));
  const axis = ticks.flatMap((tick) => [
    line(x(tick), 42, x(tick), bottom, tick === 1 ? 'even' : 'grid'),
    text(x(tick), 36, `×${tick}`, 'small', 'middle'),
  ]);
  return svg(bottom + 30, `${id}: ours / theirs, in neighbouring turns`, [...axis, ...bars], machine);
}

/** Operations a second over the number of callers; undefined when there are too few. */
export function byCallers(rows: readonly Row[], machine: Machine): string | undefined {
  const lines = new Map<string, Map<number, number>>();
  for (const { case: name, callers, ops } of rows) {
    lines.set(name, (lines.get(name) ?? new Map()).set(callers, ops));
  }
  const drawn = [...lines].filter(([, points]) => points.size >= 3);
  if (drawn.length === 0) return undefined;
  const counts = [...new Set(drawn.flatMap(([, points]) => [...points.keys()]))].sort((a, b) => a - b);
  const most = Math.max(...drawn.flatMap(([, points]) => [...points.values()]));
  const step = 10 ** Math.floor(Math.log10(most)) / (most / 10 ** Math.floor(Math.log10(most)) < 3 ? 4 : 1);
  const [left, right, top, bottom] = [70, WIDTH - 30, 80, 380];
  const [first, last] = [Math.log2(counts[0]!), Math.log2(counts.at(-1)!)];
  const x = (callers: number) => left + ((Math.log2(callers) - first) / (last - first)) * (right - left);
  const y = (ops: number) => bottom - (ops / (Math.ceil(most / step) * step)) * (bottom - top);
  const levels = Array.from({ length: Math.ceil(most / step) + 1 }, (_, n) => n * step);
  const parts = [
    ...levels.flatMap((ops) => [
      line(left, y(ops), right, y(ops), 'grid'),
      text(left - 8, y(ops) + 4, ops.toLocaleString('en'), 'small', 'end'),
    ]),
    ...counts.map((callers) => text(x(callers), bottom + 18, String(callers), 'small', 'middle')),
    text((left + right) / 2, bottom + 36, 'callers', 'small', 'middle'),
    ...drawn.flatMap(([name, points], at) => {
      const colour = COLOURS[at % COLOURS.length]!;
      const spots = [...points]
        .sort(([a], [b]) => a - b)
        .map(([callers, ops]) => [x(callers), y(ops)] as const);
      const path = spots.map((spot) => spot.map((each) => each.toFixed(1)).join(',')).join(' ');
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...spots.map(
          ([cx, cy]) => `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3" fill="${colour}"/>`,
        ),
        rect(left + at * 190, 44, 10, 10, colour),
        text(left + at * 190 + 15, 53, short(name, 30), 'small'),
      ];
    }),
  ];
  return svg(bottom + 76, 'W1: operations a second in process', parts, machine);
}

function isRatio(row: Row): row is Ratio {
  // One that nobody could divide has no bar: nothing was done in some turn.
  return (
    row.spread !== undefined && [row.ratio, ...row.spread].every((each) => each! > 0 && each! < Infinity)
  );
}

function svg(height: number, title: string, parts: readonly string[], machine: Machine): string {
  const { cores, cpu, node, load, at } = machine;
  const foot = `${cores} cores (${cpu}), Node ${node}, load ${load}, ${at.slice(0, 10)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">`,
    `<title>${escaped(title)}</title>`,
    STYLE,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(12, 20, title, 'title'),
    ...parts,
    text(12, height - 10, foot, 'small'),
    '</svg>\n',
  ].join('\n');
}

function text(x: number, y: number, words: string, style = 'name', anchor = 'start'): string {
  const place = `x="${x.toFixed(1)}" y="${y.toFixed(1)}"`;
  return `<text ${place} class="${style}" text-anchor="${anchor}">${escaped(words)}</text>`;
}

function rect(x: number, y: number, width: number, height: number, colour: string): string {
  const size = `width="${width.toFixed(1)}" height="${height}"`;
  return `<rect x="${x.toFixed(1)}" y="${y}" ${size} rx="2" fill="${colour}"/>`;
}

function line(x1: number, y1: number, x2: number, y2: number, style: string): string {
  const ends = [x1, y1, x2, y2].map((each) => each.toFixed(1));
  return `<line x1="${ends[0]}" y1="${ends[1]}" x2="${ends[2]}" y2="${ends[3]}" class="${style}"/>`;
}

function short(words: string, most = 62): string {
  return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
