import { runChecker } from './run.js';
import { readSettings } from './settings.js';
import { summary } from './summary.js';

const settings = readSettings(process.env);
const progress = (line: string) =>
  void (settings.size === 'long' && process.stderr.write(`checker: ${line}\n`));

test(
  'whatever breaks, every answer is true and every promise is kept',
  async () => {
    const report = await runChecker(settings, progress);
    const text = summary(report);
    if (settings.size === 'long') process.stderr.write(`${text}\n`);
    if (report.violations.length > 0) throw new Error(`${text}\nAgain: CHECKER_SEED=${settings.seed}`);
    expect(report.recorder.operations.length).toBeGreaterThan(1_000);
  },
  settings.seconds * 1_000 + 240_000,
);
