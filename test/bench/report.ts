import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { Row } from './harness.js';

/** What the figures were taken on: nothing that names the machine or its owner. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  system: string;
  node: string;
  /** Of the last minute, when the run was over; other work beside it makes it rise above the cores. */
  load: number;
  at: string;
  settings: Record<string, string>;
}

export interface Report {
  machine: Machine;
  workloads: Record<string, Row[]>;
}

export function machine(settings: Record<string, string>): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.versions.node,
    load: Number(loadavg()[0]?.toFixed(2)),
    at: new Date().toISOString(),
    settings,
  };
}

const header = ['', 'callers', 'ops/s', 'p50 ms', 'p99 ms', 'CPU µs/op', 'MiB', 'ratio', 'spread', 'against'];

/** The figures for people. Colours only where a terminal shows them. */
export function table({ machine, workloads }: Report, colours = process.stdout.isTTY): string {
  const paint = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
  const [bold, dim] = [paint(1), paint(2)];
  const sections = Object.entries(workloads).map(([id, rows]) => ({ id, rows, cells: rows.map(cells) }));
  const widths = header.map((name, column) =>
    Math.max(
      name.length,
      ...sections.flatMap((section) => section.cells.map((each) => each[column]!.length)),
    ),
  );
  const line = (values: readonly string[]) =>
    values
      .map((value, at) => (isText(at) ? value.padEnd(widths[at]!) : value.padStart(widths[at]!)))
      .join('  ')
      .trimEnd();
  const lines = sections.flatMap(({ id, rows, cells }) => [
    '',
    bold(line([id, ...header.slice(1)])),
    ...rows.map((row, at) => (row.ratio === undefined ? dim : String)(line(cells[at]!))),
  ]);
  const { cpu, cores, memoryGiB, node, load } = machine;
  const foot = `${cores} cores (${cpu}), ${memoryGiB} GiB, Node ${node}, load ${load}. Ratios are ours / theirs.`;
  return `${[...lines, '', dim(foot)].join('\n')}\n`;
}

function isText(column: number): boolean {
  return column === 0 || column === header.length - 1;
}

/** Nothing for a line that is not about single operations. */
function milliseconds(value: number): string {
  return Number.isNaN(value) ? '' : value.toFixed(2);
}

function cells(row: Row): string[] {
  const { callers, ops, p50, p99, cpu = {}, memory = {}, ratio, spread, against, of } = row;
  const parts = (figures: Record<string, number>) =>
    Object.entries(figures)
      .map(([part, figure]) => `${part} ${figure.toFixed(0)}`)
      .join(', ');
  return [
    row.case,
    String(callers),
    Math.round(ops).toLocaleString('en'),
    milliseconds(p50),
    milliseconds(p99),
    parts(cpu),
    parts(memory),
    ratio === undefined ? '' : `×${ratio.toFixed(2)}`,
    spread === undefined ? '' : spread.map((each) => each.toFixed(2)).join('–'),
    against === undefined ? '' : `${of === 'ops' ? '' : `${of} of `}${against}`,
  ];
}
