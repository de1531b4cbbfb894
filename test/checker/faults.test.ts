import { inflict } from './faults/index.js';
import { runChecker } from './run.js';
import { saveHistory } from './saving.js';
import { readSettings } from './settings.js';
import { summary } from './summary.js';

const settings = readSettings(process.env);
const progress = (line: string) =>
  void ((settings.size === 'long' || process.env.CHECKER_TELL) && process.stderr.write(`checker: ${line}\n`));

test(
  'whatever breaks, every answer is true and every promise is kept',
  async () => {
    const report = await runChecker(settings, progress);
    const text = summary(report);
    if (settings.history) await saveHistory(settings.history, report);
    if (settings.size === 'long') process.stderr.write(`${text}\n`);
    if (report.violations.length > 0) throw new Error(`${text}\nAgain: CHECKER_SEED=${settings.seed}`);
    if (settings.faults) return;
    expect(report.recorder.operations.length).toBeGreaterThan(1_000);
    const kinds = new Set(report.faults.map(({ kind }) => kind));
    expect(Object.keys(inflict).filter((kind) => !kinds.has(kind))).toEqual([]);
  },
  settings.seconds * 1_000 + 240_000,
);
