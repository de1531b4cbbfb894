import { Counter, Histogram, type Registry } from 'prom-client';
import { type Answered, type Problem, problems } from '#api';
import { operations } from '#api/schemas';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Requests that are for no operation: pages, and addresses where there is nothing. */
const ELSEWHERE = 'none';

/** What becomes of requests, for Prometheus. Labels are bounded: operations, outcomes and codes of problems. */
export class RequestMetrics {
  private readonly seconds: Histogram;
  private readonly requests: Counter;
  private readonly commands: Counter;
  private readonly problems: Counter;
  readonly tracesDropped: Counter;

  constructor(registry: Registry) {
    const registers = [registry];
    this.seconds = new Histogram({
      name: 'ledger_http_request_seconds',
      help: 'From a checked request to its answer; waits for a change and streams are left out',
      ...{ labelNames: ['operation'], buckets: SECONDS, registers },
    });
    this.requests = new Counter({
      ...{ name: 'ledger_http_requests_total', help: 'Requests that were answered' },
      ...{ labelNames: ['operation', 'status'], registers },
    });
    this.commands = new Counter({
      ...{ name: 'ledger_commands_total', help: 'Commands that were obeyed, by outcome' },
      ...{ labelNames: ['operation', 'outcome'], registers },
    });
    this.problems = new Counter({
      ...{ name: 'ledger_problems_total', help: 'Requests that were refused or failed, by why' },
      ...{ labelNames: ['operation', 'code'], registers },
    });
    this.tracesDropped = new Counter({
      ...{ name: 'ledger_traceparents_dropped_total', help: 'traceparent headers that were malformed' },
      registers,
    });
  }

  /** Counters of one operation. What belongs to labels is looked up once: that costs more than to count. */
  readonly of = remembered((operation: string) => this.countersOf(operation));

  private countersOf(operation: string) {
    const seconds = this.seconds.labels(operation);
    const byStatus = remembered((status: number) => this.requests.labels(operation, String(status)));
    const byOutcome = remembered((outcome: string) => this.commands.labels(operation, outcome));
    return {
      /** It was answered as it should be, after so many milliseconds; undefined: how long says nothing. */
      answered(status: number, outcome: string | undefined, milliseconds: number | undefined): void {
        if (milliseconds !== undefined) seconds.observe(milliseconds / 1_000);
        byStatus(status).inc();
        if (outcome !== undefined) byOutcome(outcome).inc();
      },
      /** A command that came among others was obeyed. */
      obeyed: (outcome: string): void => byOutcome(outcome).inc(),
    };
  }

  /** What became of one of many commands that came in a request, which is counted by itself. */
  oneOfMany(named: string, { outcome, problem }: Answered): void {
    const operation = Object.hasOwn(operations, named) ? named : ELSEWHERE;
    if (problem) this.problems.labels(operation, problem.code).inc();
    else if (outcome !== undefined) this.of(operation).obeyed(outcome);
  }

  /** A request of this operation, or of none, was answered with a problem. */
  refused(operation: string | undefined, { code }: Problem): void {
    this.requests.labels(operation ?? ELSEWHERE, String(problems[code].status)).inc();
    this.problems.labels(operation ?? ELSEWHERE, code).inc();
  }
}

function remembered<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const made = new Map<Key, Value>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}
