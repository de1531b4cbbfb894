import { inflict } from './faults/index.js';
import { runChecker } from './running/run.js';
import { saveHistory } from './saving.js';
import { readSettings } from './settings.js';
import { summary } from './summary.js';

const settings = readSettings(process.env);
const { seed, size, seconds, tells, history, faults } = settings;
const tell = (text: string) => void (tells && process.stderr.write(`${text}\n`));

/** Starting, settling what is unknown, waiting for leases and looking through everything. */
const BESIDES_MS = 240_000;

test(
  'whatever breaks, every answer is true and every promise is kept',
  async () => {
    const report = await runChecker(settings, (line) => tell(`checker: ${line}`));
    if (history) await saveHistory(history, report);
    const text = summary(report);
    tell(text);
    if (report.violations.length > 0) throw new Error(`${text}\nAgain: CHECKER_SEED=${seed}`);
    if (faults || size === 'long') return;
    expect(report.recorder.operations.length).toBeGreaterThan(1_000);
    if (settings.together > 0) expect(report.recorder.listed).toBeGreaterThan(100);
    const kinds = new Set(report.faults.map(({ kind }) => kind));
    expect(Object.keys(inflict).filter((kind) => !kinds.has(kind as never))).toEqual([]);
  },
  seconds * 1_000 + BESIDES_MS,
);
