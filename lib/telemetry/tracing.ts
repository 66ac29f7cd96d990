/**
 * Traces of exchanges by the runtime's own OpenTelemetry: one span of kind server for each, one of kind client for each of
 * its attempts. Where the process makes no traces, {@linkcode tracing} is undefined, and that is all that is looked at.
 *
 * @module
 */

import { type CarriedTrace, ExchangeSpan, spanMethod, type TracedHead } from "./exchange_span.ts";
import { INTERNAL, openRuntimeTracing, type RuntimeSpan, type RuntimeTracing, SERVER } from "./runtime_tracer.ts";
import { SPAN_KEY, type SpanContext } from "./runtime_tracer.ts";
import { parseTraceParent, recorded } from "./trace_parent.ts";

/** Begins the spans of exchanges. */
export class Tracing {
  readonly #runtime: RuntimeTracing;

  /** @param runtime The runtime's way to traces. */
  constructor(runtime: RuntimeTracing) {
    this.#runtime = runtime;
  }

  /**
   * Lets go of the span that the runtime's server has made for the running request, so that there is one for each
   * exchange. The runtime's own ends with the head of the answer, knows no route, and has the status as text; it cannot be
   * made longer. A span that nobody ends is not exported.
   */
  replaceServerSpan(): void {
    const span = this.#runtime.active().getValue(SPAN_KEY) as RuntimeSpan | undefined;
    if (span !== undefined) span.end = neverEnd;
  }

  /**
   * Begins the span of an exchange: below the client's, if it sent one; or below that of the program that BWS is part of.
   *
   * @returns undefined when the client's trace is not recorded; `traceparent` then passes like any other line.
   */
  begin(head: TracedHead): ExchangeSpan | undefined {
    const runtime = this.#runtime;
    const { tracer, root, propagates, unguided } = runtime;
    const name = spanMethod(head.method);
    const sent = carriedBy(head.headers);
    const parent = propagates && sent.traceparent !== "" ? parseTraceParent(sent.traceparent) : undefined;
    const active = runtime.active();
    const around = active.getValue(SPAN_KEY) as RuntimeSpan | undefined;
    if (around !== undefined && around.end !== neverEnd) {
      const span = tracer.startSpan(name, { kind: INTERNAL }, active);
      const continued = parent?.traceId === around.spanContext().traceId;
      return new ExchangeSpan(runtime, span, continued || !propagates ? sent : NOTHING);
    }
    if (parent === undefined) {
      const span = tracer.startSpan(name, { kind: SERVER, root: true });
      // What is broken is not passed on, nor the state that went with it (Trace Context, section 4.3).
      return new ExchangeSpan(runtime, span, propagates ? NOTHING : sent);
    }
    if (unguided && !recorded(parent.traceFlags)) return undefined;
    const span = tracer.startSpan(name, { kind: SERVER }, root.setValue(SPAN_KEY, new RemoteSpan(parent)));
    return new ExchangeSpan(runtime, span, sent);
  }
}

/** Begins the spans of exchanges; undefined where this process makes no traces. */
export const tracing: Tracing | undefined = openTracing();

function openTracing(): Tracing | undefined {
  const runtime = openRuntimeTracing();
  return runtime === undefined ? undefined : new Tracing(runtime);
}

/** A span of another program. */
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

const NOTHING: CarriedTrace = { traceparent: "", tracestate: "" };

// Several lines of `tracestate` are one list; several of `traceparent` are none that could be read.
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
