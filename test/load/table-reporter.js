import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Prints the figures that the tests recorded as the table of docs/load.md. */
export default class TableReporter {
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'session-ledger-load-'));
    // Workers inherit it.
    process.env.LOAD_FIGURES = join(this.folder, 'figures.jsonl');
  }

  onRunComplete() {
    const figures = readLines(process.env.LOAD_FIGURES);
    rmSync(this.folder, { recursive: true });
    if (figures.length === 0) return;
    const rows = figures.map(({ load, measure, before, under, bound }) =>
      [
        load,
        measure,
        before === undefined ? '' : short(before),
        short(under),
        ratio(before, under),
        bound,
      ].join(' | '),
    );
    const head = ['Load', 'Measured', 'Without', 'Under it', 'Ratio', 'Bound'].join(' | ');
    const lines = [head, '--- | --- | --: | --: | --: | ---', ...rows];
    console.log(lines.map((line) => `| ${line} |`).join('\n'));
  }
}

const short = (value) => String(Number(value.toPrecision(3)));
const ratio = (before, under) => (before ? short(under / before) : '');

function readLines(file) {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
