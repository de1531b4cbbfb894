import type { Context, Span } from '@opentelemetry/api';
import { settled } from '#waiting';

/** Spans of what the service does, sent where the OTEL_ variables say (docs/running.md). None without them. */
export interface Tracing {
  /** A request for an operation has come in, perhaps with a `traceparent` of its sender's. */
  requested(operation: string, method: string, route: string, traceparent: string | undefined): RequestSpan;
  /** A batch was committed a moment ago: it belongs to the trace of each command in it that is recorded. */
  committed(batch: readonly { traceparent?: string }[], milliseconds: number): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** Of one request. What it says are operations, outcomes and codes of problems: no id, key, handle or address. */
export interface RequestSpan {
  /** For what happens in its trace; undefined where this trace is not recorded. */
  readonly traceparent: string | undefined;
  outcome(outcome: string): void;
  problem(code: string): void;
  /** The answer has gone, or whoever asked has. */
  end(status: number): void;
}

/** The longest that the last spans may take: the service has 10 s to stop. */
const CLOSE_MS = 2_000;

/** What SpanKind.SERVER and SpanStatusCode.ERROR are; to import them is to load OpenTelemetry. */
const [SERVER, ERROR] = [1, 2];

/**
 * Loads OpenTelemetry, which reads its own variables: where to send spans, how many, and as what (docs/decisions/0030). A span
 * that cannot be sent is told to `onFault` and lost; nothing waits for it.
 */
export async function openTracing(version: string, onFault: (error: Error) => void): Promise<Tracing> {
  const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const tell = (message: string) => onFault(new Error(inShort(message)));
  const quiet = () => undefined;
  api.diag.setLogger({ error: tell, warn: tell, info: quiet, debug: quiet, verbose: quiet });
  const named = resources.resourceFromAttributes({
    'service.name': 'session-ledger',
    'service.version': version,
  });
  const given = resources.detectResources({ detectors: [resources.envDetector] });
  const provider = new sdk.BasicTracerProvider({
    resource: named.merge(given),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('session-ledger', version);
  const inTraceOf = (traceparent: string | undefined) => {
    const [, traceId = '', spanId = '', flags = ''] = traceparent?.split('-') ?? [];
    if (traceId === '') return api.ROOT_CONTEXT;
    const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
    return api.trace.setSpanContext(api.ROOT_CONTEXT, parent);
  };
  const requested: Tracing['requested'] = (operation, method, route, traceparent) => {
    const attributes = { 'http.request.method': method, 'http.route': route, 'ledger.operation': operation };
    const options = { kind: SERVER, attributes };
    return requestSpan(tracer.startSpan(`${method} ${route}`, options, inTraceOf(traceparent)));
  };
  const commit = (size: number, startTime: number, endTime: number, context: Context) => {
    const attributes = { 'db.system.name': 'postgresql', 'ledger.batch.size': size };
    tracer.startSpan('commit', { startTime, attributes }, context).end(endTime);
  };
  return {
    requested,
    committed: (batch, milliseconds) => {
      const now = Date.now();
      for (const traceparent of new Set(batch.map((command) => command.traceparent)))
        if (traceparent !== undefined) commit(batch.length, now - milliseconds, now, inTraceOf(traceparent));
    },
    close: () => settled(provider.shutdown(), CLOSE_MS),
  };
}

function requestSpan(span: Span): RequestSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceparent: span.isRecording() ? `00-${traceId}-${spanId}-01` : undefined,
    outcome: (outcome) => void span.setAttribute('ledger.outcome', outcome),
    problem: (code) => void span.setAttribute('error.type', code),
    end: (status) => {
      span.setAttribute('http.response.status_code', status);
      if (status >= 500) span.setStatus({ code: ERROR });
      span.end();
    },
  };
}

/** OpenTelemetry tells errors as JSON with a stack. */
function inShort(message: string): string {
  const [, said = message] = /"message":"((?:[^"\\]|\\.)*)"/.exec(message) ?? [];
  return said.split('\n', 1)[0] ?? said;
}
