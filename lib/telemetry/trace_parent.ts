/**
 * `traceparent`, the header field that carries a trace from one program to the next (W3C Trace Context, section 3.2).
 *
 * @module
 */

import type { SpanContext } from "./runtime_tracer.ts";

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = "0".repeat(32);
const NO_SPAN = "0".repeat(16);

/**
 * Parses a value of `traceparent`.
 *
 * @returns The caller's span, or undefined if the value is malformed. Values of versions after 00 may be longer.
 */
export function parseTraceParent(value: string): SpanContext | undefined {
  const found = FORM.exec(value);
  if (found === null) return undefined;
  const [, version, traceId, spanId, flags, more] = found;
  if (version === "ff" || (version === "00" && more !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId, spanId, traceFlags: parseInt(flags, 16) };
}

/** The value of `traceparent` that makes `span` the parent of the spans of the next program. */
export function formatTraceParent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${recorded(traceFlags) ? "01" : "00"}`;
}

/** Whether a span with these flags is recorded. */
export function recorded(traceFlags: number): boolean {
  return (traceFlags & 1) === 1;
}
