/**
 * What answers a GET or HEAD for one representation: status, header lines and which bytes. Pure, so it is made once before
 * a file is opened (most answers need no file) and again if the file turns out to be another one when it is.
 *
 * @module
 */

import type { HeaderLines } from "../../http/message.ts";
import { type ByteSpan, readRanges } from "./byte_ranges.ts";
import { multipartPieces } from "./multipart_ranges.ts";
import { judgePreconditions, rangeCounts } from "./preconditions.ts";
import type { Representation } from "./representation.ts";
import type { RequestFields } from "./request_fields.ts";

/** A piece of a body: bytes as they are, or a span of the file. */
export type Piece = Uint8Array<ArrayBuffer> | ByteSpan;

/** An answer before its body. */
export interface ResponsePlan {
  readonly status: number;
  readonly headers: HeaderLines;
  /** The pieces of the body in order; undefined for an answer without one. */
  readonly pieces: readonly Piece[] | undefined;
}

/**
 * Plans the answer.
 *
 * @param method `GET` or `HEAD`.
 * @param fields The request's fields.
 * @param representation What is asked for.
 * @param nowMs The current time in milliseconds since 1970.
 */
export function planResponse(
  method: string,
  fields: RequestFields,
  representation: Representation,
  nowMs: number,
): ResponsePlan {
  if (fields.conditional) {
    const status = judgePreconditions(fields, representation, nowMs);
    if (status === 304) return { status, headers: representation.notModifiedLines.slice(), pieces: undefined };
    if (status === 412) return { status, headers: [], pieces: undefined };
    // Range means something to GET alone (RFC 9110, section 14.2).
    if (method === "GET" && fields.range !== undefined && rangeCounts(fields.ifRange, representation, nowMs)) {
      const plan = planRange(fields.range, representation);
      if (plan !== undefined) return plan;
    }
  }
  return {
    status: 200,
    headers: representation.okLines.slice(),
    pieces: method === "HEAD" ? undefined : [{ startByte: 0, endByte: representation.sizeBytes }],
  };
}

function planRange(range: string, representation: Representation): ResponsePlan | undefined {
  const { sizeBytes, partLines, options } = representation;
  const spans = readRanges(range, sizeBytes);
  if (spans === "ignored") return undefined;
  if (spans === "unsatisfiable") {
    return { status: 416, headers: ["content-range", `bytes */${sizeBytes}`], pieces: undefined };
  }
  if (spans.length === 1) {
    const { startByte, endByte } = spans[0];
    const headers = [
      ...["content-type", options.contentType, "content-length", String(endByte - startByte)],
      ...["content-range", `bytes ${startByte}-${endByte - 1}/${sizeBytes}`],
      ...partLines,
    ];
    return { status: 206, headers, pieces: spans };
  }
  // Content-Encoding would have to mean the parts, but on a multipart answer it means the whole.
  if (options.coding !== "") return undefined;
  const { pieces, lengthBytes, contentType } = multipartPieces(spans, sizeBytes, options.contentType);
  return {
    status: 206,
    headers: ["content-type", contentType, "content-length", String(lengthBytes), ...partLines],
    pieces,
  };
}
