/**
 * A collector of OpenTelemetry traces (OTLP over HTTP, as JSON), on a free port of loopback.
 *
 * @module
 */

import { until } from "./condition.ts";

/** A span as it was exported. */
export interface ReceivedSpan {
  /** Name of the instrumentation that made it. */
  readonly scope: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentSpanId: string;
  /** Whole numbers are numbers; a double is told as text, since none is expected. */
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly status: "unset" | "ok" | "error";
  readonly durationMs: number;
}

/** A receiver that listens. */
export class OtlpReceiver {
  /** All spans so far, in the order in which they came. */
  readonly spans: ReceivedSpan[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor() {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
      const exported = await request.json();
      if (new URL(request.url).pathname === "/v1/traces") this.spans.push(...decoded(exported));
      return Response.json({});
    });
  }

  /** Listens. */
  static start(): OtlpReceiver {
    return new OtlpReceiver();
  }

  /** Variables that make a process export here, without delay. */
  get env(): Record<string, string> {
    return {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${this.#server.addr.port}`,
      OTEL_BSP_SCHEDULE_DELAY: "20",
    };
  }

  /** The one span that `fits`, once it has come. */
  async span(what: string, fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    await until(`a span of ${what}`, () => this.spans.some(fits), 10_000);
    const found = this.spans.filter(fits);
    if (found.length > 1) throw new Error(`${found.length} spans of ${what}, expected 1`);
    return found[0];
  }

  /** The spans right below `parent`, in the order in which they ended. */
  below(parent: ReceivedSpan): ReceivedSpan[] {
    return this.spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId);
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

interface Exported {
  resourceSpans: { scopeSpans: { scope: { name: string }; spans: ExportedSpan[] }[] }[];
}

interface ExportedSpan {
  name: string;
  kind: number;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: string | number; doubleValue?: number } }[];
  status: { code: number };
  startTimeUnixNano: string;
  endTimeUnixNano: string;
}

const KINDS = ["internal", "internal", "server", "client"] as const;
const STATUSES = ["unset", "ok", "error"] as const;

function decoded({ resourceSpans }: Exported): ReceivedSpan[] {
  return resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) => spans.map((span) => decodedSpan(span, scope.name)))
  );
}

function decodedSpan(span: ExportedSpan, scope: string): ReceivedSpan {
  const { name, traceId, spanId, parentSpanId, attributes } = span;
  const keys = attributes.map(({ key }) => key);
  if (new Set(keys).size < keys.length) throw new Error(`A span has an attribute twice: ${keys.join(", ")}`);
  return {
    ...{ scope, name, traceId, spanId, parentSpanId },
    kind: KINDS[span.kind],
    attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)])),
    status: STATUSES[span.status.code],
    durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
  };
}

function valueOf({ stringValue, intValue, doubleValue }: ExportedSpan["attributes"][0]["value"]): string | number {
  if (intValue !== undefined) return Number(intValue);
  return stringValue ?? `double ${doubleValue}`;
}
