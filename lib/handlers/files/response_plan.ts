/**
 * The plan of a response to GET or HEAD with one representation: status code, header lines, and which bytes. Without
 * side effects, so it is made once before a file is opened (most responses need no file), and again if the opened file
 * turns out to be another one.
 *
 * @module
 */

import type { HeaderLines } from "../../http/message.ts";
import type { HeaderBytes } from "../../http1/header_bytes.ts";
import { type ByteSpan, readRanges } from "./byte_ranges.ts";
import { multipartPieces } from "./multipart_ranges.ts";
import { checkPreconditions, rangeApplies } from "./preconditions.ts";
import type { Representation } from "./representation.ts";
import type { PageRequest } from "./request_fields.ts";

/** A piece of a body: literal bytes, or a span of the file. */
export type Piece = Uint8Array<ArrayBuffer> | ByteSpan;

/** A response before its body is read. */
export interface ResponsePlan {
  readonly status: number;
  readonly headers: HeaderLines;
  /** More header lines, for a request that takes them so. */
  readonly passed: HeaderBytes | undefined;
  /** The pieces of the body in order; undefined for a response without a body. */
  readonly pieces: readonly Piece[] | undefined;
}

/**
 * Plans the response.
 *
 * @param request The parts of the request that select the response.
 * @param representation The requested representation.
 * @param nowMs The current time in milliseconds since 1970.
 */
export function planResponse(
  { method, fields, takesPassed }: PageRequest,
  representation: Representation,
  nowMs: number,
): ResponsePlan {
  if (fields.conditional) {
    const status = checkPreconditions(fields, representation, nowMs);
    if (status === 304) {
      const { notModifiedBytes, notModifiedLines } = representation;
      return takesPassed
        ? { status, headers: [], passed: notModifiedBytes.take(), pieces: undefined }
        : { status, headers: notModifiedLines.slice(), passed: undefined, pieces: undefined };
    }
    if (status === 412) return { status, headers: [], passed: undefined, pieces: undefined };
    // Range applies to GET only (RFC 9110, section 14.2).
    if (method === "GET" && fields.range !== undefined && rangeApplies(fields.ifRange, representation, nowMs)) {
      const plan = planRange(fields.range, representation);
      if (plan !== undefined) return plan;
    }
  }
  const pieces = method === "HEAD" ? undefined : [{ startByte: 0, endByte: representation.sizeBytes }];
  return okPlan(representation, takesPassed, pieces);
}

/** Plans a response of status 200 with `pieces`. */
export function okPlan(
  { okBytes, okLines }: Representation,
  takesPassed: boolean,
  pieces: readonly Piece[] | undefined,
): ResponsePlan {
  return takesPassed
    ? { status: 200, headers: [], passed: okBytes.take(), pieces }
    : { status: 200, headers: okLines.slice(), passed: undefined, pieces };
}

function planRange(range: string, representation: Representation): ResponsePlan | undefined {
  const { sizeBytes, partLines, options } = representation;
  const spans = readRanges(range, sizeBytes);
  if (spans === "ignored") return undefined;
  if (spans === "unsatisfiable") {
    const headers = ["content-range", `bytes */${sizeBytes}`];
    return { status: 416, headers, passed: undefined, pieces: undefined };
  }
  if (spans.length === 1) {
    const { startByte, endByte } = spans[0];
    const headers = [
      ...["content-type", options.contentType, "content-length", String(endByte - startByte)],
      ...["content-range", `bytes ${startByte}-${endByte - 1}/${sizeBytes}`],
      ...partLines,
    ];
    return { status: 206, headers, passed: undefined, pieces: spans };
  }
  // Content-Encoding would have to apply to the parts, but in a multipart response it applies to the whole body.
  if (options.coding !== "") return undefined;
  const { pieces, lengthBytes, contentType } = multipartPieces(spans, sizeBytes, options.contentType);
  return {
    status: 206,
    headers: ["content-type", contentType, "content-length", String(lengthBytes), ...partLines],
    passed: undefined,
    pieces,
  };
}
