import { createRequire } from 'node:module';
import { styleText } from 'node:util';

/** For programs: one JSON document a line. */
export function printJson(value: unknown): void {
  printLine(JSON.stringify(value));
}

export function printLine(line: string): void {
  clearTimeout(silence);
  process.stdout.write(`${line}\n`);
}

let silence: NodeJS.Timeout | undefined;

/** Says what is waited for, where a person watches and a second passes without a word. */
export function breakSilence(waitingFor: string): void {
  if (!process.stderr.isTTY) return;
  silence = setTimeout(() => process.stderr.write(`waiting for ${waitingFor} …\n`), 1_000).unref();
}

type Cell = string | number | undefined;

/** For people: columns as wide as their widest cell, numbers to the right, no line ends in blanks. */
export function printTable(head: readonly string[], rows: readonly (readonly Cell[])[]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => plain(row[column] ?? '').length)),
  );
  const printRow = startTable(head, widths);
  for (const row of rows) printRow(row);
}

/** Prints the head of a table and returns what prints a row; a cell that is wider than its column moves the others. */
export function startTable(head: readonly string[], widths: readonly number[]) {
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return typeof cell === 'number' ? String(cell).padStart(width) : plain(cell ?? '').padEnd(width);
      })
      .join('  ')
      .trimEnd();
  printLine(strong(line(head)));
  return (cells: readonly Cell[]): void => printLine(line(cells));
}

/** A name and a value a line; what is undefined is left out. */
export function printFields(fields: Record<string, Cell>): void {
  const shown = Object.entries(fields).filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  for (const [name, value] of shown) printLine(`${strong(name.padEnd(width))}  ${plain(value ?? '')}`);
}

/** What others wrote does nothing to a terminal. */
export function plain(cell: string | number): string {
  return String(cell).replace(/\p{Cc}/gu, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Stands out on a terminal, is plain elsewhere. */
export function strong(text: string): string {
  return styled('bold', text);
}

export function alarming(text: string): string {
  return styled('red', text);
}

function styled(style: 'bold' | 'red', text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text;
}

/** How far long work is, on standard error, where a person watches. */
export interface Progress {
  /** `done` of `total`; the total may still grow. */
  at(done: number, total: number): void;
  stop(): void;
}

export function progress(what: string): Progress {
  if (!process.stderr.isTTY) return { at: () => {}, stop: () => {} };
  // Most output is without a bar, so what draws it is loaded here.
  const { Presets, SingleBar } = createRequire(import.meta.url)(
    'cli-progress',
  ) as typeof import('cli-progress');
  const format = `${what} {bar} {percentage}%, {value} of {total}, {eta_formatted} left`;
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  clearTimeout(silence);
  bar.start(1, 0);
  return {
    at: (done, total) => {
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
