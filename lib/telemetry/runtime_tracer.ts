/**
 * The parts of the runtime's OpenTelemetry that BWS uses. It is available if the process was started with
 * `OTEL_DENO=true`, then also in each worker. The variables of OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT`,
 * `OTEL_TRACES_SAMPLER`, …) set where spans are sent, and which. The runtime declares all of it as `any`.
 *
 * @module
 */

import { VERSION } from "../version.ts";

/** Identifies a span. */
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
  /** Identifies the span. */
  spanContext(): SpanContext;
  /** Adds attributes. An attribute that was added before is then exported twice. */
  setAttributes(attributes: SpanAttributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  updateName(name: string): unknown;
  /** Ends the span, which exports it. Later calls have no effect. */
  end(): void;
}

/** Values that the runtime passes along with calls. */
export interface RuntimeContext {
  getValue(key: symbol): unknown;
  /** Returns a copy with that value. */
  setValue(key: symbol, value: unknown): RuntimeContext;
  /** Returns a copy without that value. */
  deleteValue(key: symbol): RuntimeContext;
}

/** Creates spans. */
export interface RuntimeTracer {
  /** Starts a span below the one in `context`, if there is one. */
  startSpan(name: string, options: { kind: number; root?: boolean }, context?: RuntimeContext): RuntimeSpan;
}

/** Access to the runtime's traces. */
export interface RuntimeTracing {
  /** Creates the spans of BWS. */
  readonly tracer: RuntimeTracer;
  /** A context without a span. */
  readonly root: RuntimeContext;
  /** Whether `traceparent` and `tracestate` are read and written; `OTEL_PROPAGATORS` can turn that off. */
  readonly propagates: boolean;
  /**
   * Whether no sampler is configured: then those traces are recorded that callers record, and those that begin here.
   */
  readonly withoutSampler: boolean;
  /** The context of the current call. */
  active(): RuntimeContext;
}

/** Key of the span in a context. */
export const SPAN_KEY: symbol = Symbol.for("OpenTelemetry Context Key SPAN");
/** `kind` of a span within a program. */
export const INTERNAL = 0;
/** `kind` of a span for a received request. */
export const SERVER = 1;
/** `kind` of a span for a sent request. */
export const CLIENT = 2;
/** `code` of an error status. */
export const STATUS_ERROR = 2;

interface Telemetry {
  readonly tracerProvider: { getTracer(name: string, version: string): RuntimeTracer };
  readonly contextManager: { active(): RuntimeContext };
}

interface GlobalApi {
  readonly trace?: unknown;
  readonly propagation?: { fields(): string[] };
}

/** Access to the runtime's traces, or undefined if they are off. */
export function openRuntimeTracing(): RuntimeTracing | undefined {
  // The runtime registers the enabled parts under this symbol, where `npm:@opentelemetry/api` finds them.
  const api = (globalThis as Record<symbol, unknown>)[Symbol.for("opentelemetry.js.api.1")] as GlobalApi | undefined;
  const telemetry = Deno.telemetry as unknown as Telemetry | undefined;
  if (api?.trace === undefined || telemetry === undefined || api.trace !== telemetry.tracerProvider) return undefined;
  const { contextManager } = telemetry;
  return {
    tracer: telemetry.tracerProvider.getTracer("bws", VERSION),
    root: contextManager.active().deleteValue(SPAN_KEY),
    propagates: api.propagation?.fields().includes("traceparent") === true,
    withoutSampler: !samplerIsSet(),
    active: () => contextManager.active(),
  };
}

function samplerIsSet(): boolean {
  const name = "OTEL_TRACES_SAMPLER";
  // Checked first, so that the user is not prompted: the runtime itself needs no permission to read it.
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return false;
  return (Deno.env.get(name) ?? "").trim() !== "";
}
