/**
 * The runtime's OpenTelemetry, as far as BWS uses it. It is there when the process was started with `OTEL_DENO=true`, and
 * in each worker then; where its spans go, and which, is said by the variables of OpenTelemetry
 * (`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER`, …). The runtime declares all of it as `any`.
 *
 * @module
 */

import { VERSION } from "../version.ts";

/** What tells a span from all others. */
export interface SpanContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  /** Bit 0: the span is recorded. */
  readonly traceFlags: number;
}

/** Values of attributes. Whole numbers are `bigint`: the runtime exports a `number` as a double. */
export type SpanAttributes = Record<string, string | bigint>;

/** A span of the runtime. */
export interface RuntimeSpan {
  /** What tells it from others. */
  spanContext(): SpanContext;
  /** Adds attributes; one that is there already is then there twice. */
  setAttributes(attributes: SpanAttributes): unknown;
  /** Sets its outcome. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Replaces its name. */
  updateName(name: string): unknown;
  /** Ends it; only then is it exported. Later calls change nothing. */
  end(): void;
}

/** What flows along with calls. */
export interface RuntimeContext {
  /** A value of it. */
  getValue(key: symbol): unknown;
  /** Another one with that value. */
  setValue(key: symbol, value: unknown): RuntimeContext;
  /** Another one without that value. */
  deleteValue(key: symbol): RuntimeContext;
}

/** Makes spans. */
export interface RuntimeTracer {
  /** Begins a span below the one in `context`, if there is one. */
  startSpan(name: string, options: { kind: number; root?: boolean }, context?: RuntimeContext): RuntimeSpan;
}

/** The runtime's way to traces. */
export interface RuntimeTracing {
  /** Makes the spans of BWS. */
  readonly tracer: RuntimeTracer;
  /** A context with no span in it. */
  readonly root: RuntimeContext;
  /** Whether `traceparent` and `tracestate` are read and written; `OTEL_PROPAGATORS` says otherwise. */
  readonly propagates: boolean;
  /** Whether nobody told the runtime which traces to record: those then that callers record, and those that begin here. */
  readonly unguided: boolean;
  /** The context of the running call. */
  active(): RuntimeContext;
}

/** Where a context has its span. */
export const SPAN_KEY: symbol = Symbol.for("OpenTelemetry Context Key SPAN");
/** `kind` of a span within a program. */
export const INTERNAL = 0;
/** `kind` of a span that answers another program. */
export const SERVER = 1;
/** `kind` of a span that asks another program. */
export const CLIENT = 2;
/** `code` of a status that tells of a failure. */
export const STATUS_ERROR = 2;

interface Telemetry {
  readonly tracerProvider: { getTracer(name: string, version: string): RuntimeTracer };
  readonly contextManager: { active(): RuntimeContext };
}

interface GlobalApi {
  readonly trace?: unknown;
  readonly propagation?: { fields(): string[] };
}

/** The runtime's way to traces, or undefined when it makes none. */
export function openRuntimeTracing(): RuntimeTracing | undefined {
  // Under this symbol the runtime registers what is switched on, for `npm:@opentelemetry/api` to find.
  const api = (globalThis as Record<symbol, unknown>)[Symbol.for("opentelemetry.js.api.1")] as GlobalApi | undefined;
  const telemetry = Deno.telemetry as unknown as Telemetry | undefined;
  if (api?.trace === undefined || telemetry === undefined || api.trace !== telemetry.tracerProvider) return undefined;
  const { contextManager } = telemetry;
  return {
    tracer: telemetry.tracerProvider.getTracer("bws", VERSION),
    root: contextManager.active().deleteValue(SPAN_KEY),
    propagates: api.propagation?.fields().includes("traceparent") === true,
    unguided: !samplerIsSet(),
    active: () => contextManager.active(),
  };
}

function samplerIsSet(): boolean {
  const name = "OTEL_TRACES_SAMPLER";
  // Asked first, so that nobody is prompted: the runtime itself needs no permission to read it.
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return false;
  return (Deno.env.get(name) ?? "").trim() !== "";
}
