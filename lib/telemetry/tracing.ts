/**
 * Traces of exchanges through the runtime's OpenTelemetry: one server span for each exchange, and one client span for
 * each of its attempts. If the process records no traces, {@linkcode tracing} is undefined, and nothing else is
 * checked.
 *
 * @module
 */

import { type CarriedTrace, ExchangeSpan, spanMethod, type TracedHead } from "./exchange_span.ts";
import { INTERNAL, openRuntimeTracing, type RuntimeSpan, type RuntimeTracing, SERVER } from "./runtime_tracer.ts";
import { SPAN_KEY, type SpanContext } from "./runtime_tracer.ts";
import { parseTraceParent, recorded } from "./trace_parent.ts";

/** Starts the spans of exchanges. */
export class Tracing {
  readonly #runtime: RuntimeTracing;

  /** @param runtime Access to the runtime's traces. */
  constructor(runtime: RuntimeTracing) {
    this.#runtime = runtime;
  }

  /**
   * Discards the span that the runtime's server has created for the current request, so that there is one for each
   * exchange. The runtime's own span ends with the head of the response, has no route, and has the status as text; it
   * cannot be extended. A span that is never ended is not exported.
   */
  replaceServerSpan(): void {
    const span = this.#runtime.active().getValue(SPAN_KEY) as RuntimeSpan | undefined;
    if (span !== undefined) span.end = neverEnd;
  }

  /**
   * Starts the span of an exchange: below the client's span, if it sent one; or below that of the application that BWS
   * is part of.
   *
   * @returns undefined if the client's trace is not recorded; `traceparent` is then forwarded like any other field.
   */
  begin(head: TracedHead): ExchangeSpan | undefined {
    const runtime = this.#runtime;
    const { tracer, root, propagates, withoutSampler } = runtime;
    const name = spanMethod(head.method);
    const sent = carriedBy(head.headers);
    const parent = propagates && sent.traceparent !== "" ? parseTraceParent(sent.traceparent) : undefined;
    const active = runtime.active();
    const around = active.getValue(SPAN_KEY) as RuntimeSpan | undefined;
    if (around !== undefined && around.end !== neverEnd) {
      const span = tracer.startSpan(name, { kind: INTERNAL }, active);
      const continued = parent?.traceId === around.spanContext().traceId;
      return new ExchangeSpan(runtime, span, continued || !propagates ? sent : NO_TRACE);
    }
    if (parent === undefined) {
      const span = tracer.startSpan(name, { kind: SERVER, root: true });
      // An invalid `traceparent` is not forwarded, nor the `tracestate` that came with it (Trace Context, section 4.3).
      return new ExchangeSpan(runtime, span, propagates ? NO_TRACE : sent);
    }
    if (withoutSampler && !recorded(parent.traceFlags)) return undefined;
    const span = tracer.startSpan(name, { kind: SERVER }, root.setValue(SPAN_KEY, new RemoteSpan(parent)));
    return new ExchangeSpan(runtime, span, sent);
  }
}

/** Starts the spans of exchanges; undefined if this process records no traces. */
export const tracing: Tracing | undefined = openTracing();

function openTracing(): Tracing | undefined {
  const runtime = openRuntimeTracing();
  return runtime === undefined ? undefined : new Tracing(runtime);
}

/** The span of another program. */
class RemoteSpan {
  readonly #context: SpanContext;

  constructor(context: SpanContext) {
    this.#context = context;
  }

  spanContext(): SpanContext {
    return this.#context;
  }
}

function neverEnd(): void {}

const NO_TRACE: CarriedTrace = { traceparent: "", tracestate: "" };

// Several lines of `tracestate` are one list; several lines of `traceparent` are invalid.
function carriedBy(headers: readonly string[]): CarriedTrace {
  let traceparent = "";
  let tracestate = "";
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name === "traceparent") traceparent = joined(traceparent, headers[i + 1]);
    else if (name === "tracestate") tracestate = joined(tracestate, headers[i + 1]);
  }
  return { traceparent, tracestate };
}

function joined(list: string, value: string): string {
  return list === "" ? value : `${list}, ${value}`;
}
