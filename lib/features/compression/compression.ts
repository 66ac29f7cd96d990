/**
 * Compression of responses, of upstreams and of files alike, by what the client accepts (RFC 9110, section 8.4). Left as they
 * are: responses that have a coding already, parts of a representation, those that must not be transformed, and what is too
 * small to gain.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { Filter } from "../../exchange/filter.ts";
import type { BodySource } from "../../http/body.ts";
import { AcceptedCodings } from "../../http/accepted_codings.ts";
import { addVary, headerValue, headerValues, listMembers, removeHeaders, setHeader } from "../../http/header_lines.ts";
import type { HeaderLines, HttpResponse } from "../../http/message.ts";
import type { Feature } from "../feature.ts";
import { WholeSource } from "../../http/whole_source.ts";
import { CompressedBody } from "./compressed_body.ts";
import { type CompressedFile, compressedFiles } from "./compressed_files.ts";
import { type CompressionConfig, compressionKeys } from "./compression_schema.ts";
import { COMPRESSION_METRICS, type CompressionMetrics } from "./compression_metrics.ts";
import { type Coding, type Compressor, compressorOf } from "./compressor.ts";

/** `compression`. */
export const compression = {
  key: "compression",
  scopes: ["site", "route"],
  order: 500,
  metrics: COMPRESSION_METRICS,
  schema: compressionKeys.optional().describe("Compression of responses."),
  compile: (options, { metrics }) =>
    options?.enabled === true ? new Compression(options, metrics(COMPRESSION_METRICS)) : undefined,
} as const satisfies Feature<CompressionConfig | undefined>;

/** Largest body that is compressed at once: a millisecond or two. */
const WHOLE_MAX_BYTES = 32 * 1024;

/** Compresses the responses of one site or route. Built once. */
export class Compression implements Filter {
  readonly #codings: AcceptedCodings;
  readonly #compressors: ReadonlyMap<string, Compressor>;
  readonly #minBytes: number;
  readonly #types: ReadonlySet<string>;
  /** `text/` of `text/*`. */
  readonly #families: readonly string[];
  /** `+json` of `*+json`. */
  readonly #suffixes: readonly string[];
  readonly #paths: readonly string[];
  readonly #cookies: boolean;
  readonly #metrics: CompressionMetrics | undefined;

  constructor(
    { algorithms, level, min_size, types, paths, cookies }: CompressionConfig,
    metrics?: CompressionMetrics,
  ) {
    this.#metrics = metrics;
    this.#codings = new AcceptedCodings(algorithms);
    this.#compressors = new Map(algorithms.map((coding: Coding) => [coding, compressorOf(coding, level)]));
    this.#minBytes = min_size;
    const lower = types.map((type) => type.toLowerCase());
    this.#types = new Set(lower);
    this.#families = lower.filter((type) => type.endsWith("/*")).map((type) => type.slice(0, -1));
    this.#suffixes = lower.filter((type) => type.startsWith("*")).map((type) => type.slice(1));
    this.#paths = paths;
    this.#cookies = cookies;
  }

  response(exchange: Exchange, response: HttpResponse): HttpResponse {
    const { head } = exchange;
    const { headers, status, body } = response;
    if (status === 304) return unmodified(head.headers, response);
    if (status < 200 || status === 204 || status === 206 || response.upgrade !== undefined) return response;
    if (body === null && head.method !== "HEAD") return response;
    if (!this.#compressible(exchange, headers)) return response;
    addVary(headers, "Accept-Encoding");
    const announced = body instanceof Uint8Array
      ? body.length
      : Number(headerValue(headers, "content-length") ?? Infinity);
    if (announced < this.#minBytes) return response;
    const coding = this.#codings.of(headerValue(head.headers, "accept-encoding"))[0];
    const compressor = this.#compressors.get(coding);
    if (compressor === undefined) return response;
    changeFields(headers, coding);
    if (body === null) return response;
    return { ...response, body: this.#compressed(response, body, compressor) };
  }

  #compressed(
    { status, contentKey }: HttpResponse,
    body: Uint8Array<ArrayBuffer> | BodySource,
    compressor: Compressor,
  ) {
    const metrics = this.#metrics;
    const key = status === 200 && contentKey !== undefined ? `${compressor.name} ${contentKey}` : undefined;
    const known = key === undefined ? undefined : compressedFiles.get(key);
    if (known !== undefined) {
      if (!(body instanceof Uint8Array)) body.cancel("The compressed file is in memory");
      metrics?.add(COMPRESSION_METRICS.metrics.inBytes, known.fullBytes);
      metrics?.add(COMPRESSION_METRICS.metrics.outBytes, known.content.length);
      return known.content;
    }
    const take = key === undefined ? undefined : (file: CompressedFile) => compressedFiles.add(key, file);
    if (!(body instanceof Uint8Array)) return new CompressedBody(body, compressor, { metrics, take });
    if (body.length > WHOLE_MAX_BYTES) return new CompressedBody(new WholeSource(body), compressor, { metrics, take });
    const content = compressor.whole(body);
    metrics?.add(COMPRESSION_METRICS.metrics.inBytes, body.length);
    metrics?.add(COMPRESSION_METRICS.metrics.outBytes, content.length);
    take?.({ content, fullBytes: body.length });
    return content;
  }

  #compressible({ head, clientScheme }: Exchange, headers: HeaderLines): boolean {
    if (this.#paths.length > 0 && !this.#paths.some((path) => head.path.startsWith(path))) return false;
    const type = headerValue(headers, "content-type");
    if (type === undefined || !this.#takes(type)) return false;
    if (headerValue(headers, "content-encoding") !== undefined) return false;
    if (headerValues(headers, "cache-control").some((value) => listMembers(value).includes("no-transform"))) {
      return false;
    }
    return this.#cookies || clientScheme !== "https" || headerValue(headers, "set-cookie") === undefined;
  }

  #takes(contentType: string): boolean {
    const end = contentType.indexOf(";");
    const type = (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
    return this.#types.has(type) || this.#families.some((family) => type.startsWith(family)) ||
      this.#suffixes.some((suffix) => type.endsWith(suffix));
  }
}

/** The fields that tell of the coding, and those that were true of the content without it. */
function changeFields(headers: HeaderLines, coding: string): void {
  removeHeaders(headers, UNTRUE);
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i].toLowerCase() === "etag") headers[i + 1] = weak(headers[i + 1]);
  }
  headers.push("content-encoding", coding);
}

/** Fields of the content as it was: its size, ranges of it, and its digests (RFC 9530). */
const UNTRUE: ReadonlySet<string> = new Set([
  ...["content-length", "accept-ranges", "content-digest", "repr-digest", "digest", "content-md5"],
]);

/** An entity tag that promises no equality byte for byte (RFC 9110, section 8.8.1). */
function weak(tag: string): string {
  return tag.startsWith("W/") ? tag : `W/${tag}`;
}

/** A 304 has the entity tag that the 200 had (RFC 9110, section 15.4.5): the weak one, if that is what the client has. */
function unmodified(request: readonly string[], response: HttpResponse): HttpResponse {
  const tag = headerValue(response.headers, "etag");
  const known = headerValue(request, "if-none-match");
  if (tag === undefined || tag.startsWith("W/") || known === undefined || !known.includes(weak(tag))) return response;
  setHeader(response.headers, "etag", weak(tag));
  addVary(response.headers, "Accept-Encoding");
  return response;
}
