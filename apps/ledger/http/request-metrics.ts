import { Counter, Histogram, type Registry } from 'prom-client';
import { type Answered, isRefusal, type Problem, problems, type Traffic } from '#api';
import { commands, type OperationId, operations } from '#api/schemas';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Requests for no operation: pages, addresses where there is nothing, and what was refused before it was looked at. */
const ELSEWHERE = 'none';

/** Most tenants that are counted by themselves; the one that came first is forgotten for another one. */
const MOST_TENANTS = 10_000;

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

  /** Commands by what became of them, of all and by tenant: no label, since there is no bound of tenants. */
  private readonly all: Traffic = { commands: 0, refusals: 0 };
  private readonly tenants = new Map<string, Traffic>();

  traffic(tenant: string | undefined): Traffic {
    return { ...(tenant === undefined ? this.all : (this.tenants.get(tenant) ?? NO_TRAFFIC)) };
  }

  /** Counts a command that a tenant's caller was answered. */
  private count(what: keyof Traffic, tenant: string): void {
    this.all[what] += 1;
    let own = this.tenants.get(tenant);
    if (own === undefined) {
      if (this.tenants.size >= MOST_TENANTS) this.tenants.delete(this.tenants.keys().next().value ?? '');
      own = { ...NO_TRAFFIC };
      this.tenants.set(tenant, own);
    }
    own[what] += 1;
  }

  /** Counters of one operation. What belongs to labels is looked up once: that costs more than to count. */
  readonly of = remembered((operation: string) => this.countersOf(operation));

  private countersOf(operation: string) {
    const seconds = this.seconds.labels(operation);
    const byStatus = remembered((status: number) => this.requests.labels(operation, String(status)));
    const byOutcome = remembered((outcome: string) => this.commands.labels(operation, outcome));
    return {
      /** It was answered as it should be, after so many milliseconds; undefined: how long says nothing. */
      answered: (status: number, { outcome, tenant }: Obeyed, milliseconds: number | undefined): void => {
        if (milliseconds !== undefined) seconds.observe(milliseconds / 1_000);
        byStatus(status).inc();
        if (outcome === undefined) return;
        byOutcome(outcome).inc();
        this.count('commands', tenant);
      },
      /** A command that came among others was obeyed. */
      obeyed: (outcome: string, tenant: string): void => {
        byOutcome(outcome).inc();
        this.count('commands', tenant);
      },
    };
  }

  /** What became of one of many commands that came in a request, which is counted by itself. */
  oneOfMany(named: string, { outcome, problem }: Answered, tenant: string): void {
    const operation = Object.hasOwn(operations, named) ? named : ELSEWHERE;
    if (problem) {
      this.problems.labels(operation, problem.code).inc();
      if (isRefusal(problem.code)) this.count('refusals', tenant);
    } else if (outcome !== undefined) this.of(operation).obeyed(outcome, tenant);
  }

  /** Requests of this operation, or of none, were answered with a problem. */
  refused(
    operation: OperationId | undefined,
    { code }: Problem,
    tenant: string | undefined,
    count = 1,
  ): void {
    this.requests.labels(operation ?? ELSEWHERE, String(problems[code].status)).inc(count);
    this.problems.labels(operation ?? ELSEWHERE, code).inc(count);
    const isCommand = operation !== undefined && Object.hasOwn(commands, operation);
    if (isCommand && tenant !== undefined && isRefusal(code)) this.count('refusals', tenant);
  }
}

const NO_TRAFFIC: Traffic = { commands: 0, refusals: 0 };

/** A command that was obeyed, or undefined, and whose it was. */
interface Obeyed {
  outcome: string | undefined;
  tenant: string;
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
