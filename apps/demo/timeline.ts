import { styleText } from 'node:util';
import type { Conclusion } from './conclusion.js';
import type { Fact } from './facts.js';
import { type Call, type Row, state, toRow } from './timeline-rows.js';

/** Where and by whom the story is played. */
interface Title {
  userId: string;
  projectId: string;
  url: string;
  kafka: { brokers: string[]; topic: string } | undefined;
  processes: { name: string; pid: number | undefined }[];
}

/** Shows the story to a reader, or to a program. */
export interface Timeline {
  title(title: Title): void;
  /** A line of the script: the only thing here that nobody has measured. */
  chapter(text: string): void;
  show(facts: Fact[]): void;
  conclude(conclusion: Conclusion, notSo: string[]): void;
  call: Call;
}

type Write = (line: string) => void;
type Style = Parameters<typeof styleText>[0];

/** Session ids are shown masked: a letter in order of appearance, and the last four digits. */
function naming(): Call {
  const known: string[] = [];
  return (sessionId) => {
    if (!known.includes(sessionId)) known.push(sessionId);
    return `${String.fromCharCode(65 + known.indexOf(sessionId))} …${sessionId.slice(-4)}`;
  };
}

/** Times count from the first fact. */
function clock(): (at: number) => number {
  let first: number | undefined;
  return (at) => {
    first ??= at;
    return Math.round(at - first) / 1_000;
  };
}

/** One JSON document a line; the last one says whether all was right. */
export function jsonLines(write: Write): Timeline {
  const [call, time] = [naming(), clock()];
  const line = (document: object) => write(JSON.stringify(document));
  return {
    call,
    title: () => {},
    chapter: () => {},
    show(facts) {
      for (const { at, session, refused = false, ...row } of facts.map((fact) => toRow(fact, call))) {
        line({ time: time(at), ...row, ...(session !== undefined && { session: call(session) }), refused });
      }
    },
    conclude({ current, why }, notSo) {
      const { sessionId = '', epoch, owner } = current ?? {};
      const shown = current && { session: call(sessionId), epoch, owner, state: state(current) };
      line({ ok: notSo.length === 0, ...(shown && { current: shown }), why, notSo });
    },
  };
}

/** Aligned columns for people. */
export function columns(write: Write, colours: boolean): Timeline {
  const [call, time] = [naming(), clock()];
  const paint = (style: Style, text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const who = (name: string) => paint(name.startsWith('app') ? 'cyan' : 'blue', name.padEnd(14));
  const rowLine = ({ at, note, ...row }: Row) => {
    const epoch = row.epoch === undefined ? '' : `epoch ${row.epoch}`;
    const cells = [
      paint('dim', `${time(at).toFixed(3).padStart(7)} s `),
      who(row.who),
      row.what.padEnd(18),
      paint(row.refused ? 'yellow' : 'reset', row.result.padEnd(18)),
      (row.session === undefined ? '' : call(row.session)).padEnd(8),
      epoch.padEnd(8),
      note,
    ];
    return cells.join(' ').trimEnd();
  };
  return {
    call,
    title({ userId, projectId, url, kafka, processes }) {
      const from = kafka ? `Kafka ${kafka.brokers}, topic ${kafka.topic}` : "the ledger's own feed";
      write(paint('bold', `Scenario 1, "switch": user ${userId}, package ${projectId}`));
      write(`Ledger ${url}; the app follows ${from}`);
      write(`Processes: ${processes.map(({ name, pid }) => `${name} ${pid}`).join(', ')}`);
      write('');
    },
    chapter: (text) => write(paint('bold', text)),
    show(facts) {
      for (const fact of facts) write(rowLine(toRow(fact, call)));
      if (facts.length > 0) write('');
    },
    conclude({ current, why }, notSo) {
      const is = current && `${call(current.sessionId)}, epoch ${current.epoch}, ${state(current)}`;
      write(paint('bold', `Current: ${is ?? 'none'}. The reasons, from the ledger's history:`));
      for (const sentence of why) write(`  - ${sentence}`);
      if (notSo.length === 0) write(paint('green', 'Everything went as expected.'));
    },
  };
}
