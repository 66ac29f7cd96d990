/**
 * The Range field (RFC 9110, section 14.2). A server may ignore any Range, so a value that is malformed, of another
 * unit or excessive gives the whole file: a request for a thousand overlapping ranges must not cost more than the file.
 *
 * @module
 */

/** Bytes of a file from `startByte` up to, but not including, `endByte`. */
export interface ByteSpan {
  readonly startByte: number;
  readonly endByte: number;
}

/** A request with more ranges gets the whole file. Players and PDF readers request a handful. */
export const MAX_RANGES = 16;

/**
 * The spans that a Range requests.
 *
 * @param value Value of the Range field.
 * @param sizeBytes Size of the file.
 * @returns Spans in the order of the request, none overlapping or touching another; `"ignored"` if the response is the
 * whole file; `"unsatisfiable"` if no range lies in the file (416).
 *
 * @example
 * ```ts
 * import { readRanges } from "./byte_ranges.ts";
 *
 * console.log(readRanges("bytes=-5", 100)); // [{ startByte: 95, endByte: 100 }]
 * ```
 */
export function readRanges(value: string, sizeBytes: number): ByteSpan[] | "ignored" | "unsatisfiable" {
  if (value.slice(0, 6).toLowerCase() !== "bytes=") return "ignored";
  const spans: ByteSpan[] = [];
  let count = 0;
  const parts = value.slice(6).split(",", MAX_MEMBERS);
  if (parts.length === MAX_MEMBERS) return "ignored";
  for (const part of parts) {
    const text = part.trim();
    if (text === "") continue; // empty members are allowed (section 5.6.1)
    if (++count > MAX_RANGES) return "ignored";
    const match = RANGE.exec(text);
    if (match === null) return "ignored";
    const span = spanOf(match[1], match[2], sizeBytes);
    if (span === "invalid") return "ignored";
    if (span !== undefined) addSpan(spans, span);
  }
  if (count === 0) return "ignored";
  return spans.length === 0 ? "unsatisfiable" : spans;
}

/** Limits the empty members too, which do not count as ranges. */
const MAX_MEMBERS = 64;

const RANGE = /^(\d*)-(\d*)$/;

/** Numbers beyond a safe integer always mean "past the end", so their loss of precision does not matter. */
function spanOf(first: string, last: string, sizeBytes: number): ByteSpan | "invalid" | undefined {
  if (first === "") {
    if (last === "") return "invalid";
    const length = Math.min(Number(last), sizeBytes);
    return length === 0 ? undefined : { startByte: sizeBytes - length, endByte: sizeBytes };
  }
  const startByte = Number(first);
  if (last !== "" && Number(last) < startByte) return "invalid";
  if (startByte >= sizeBytes) return undefined;
  return { startByte, endByte: last === "" ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}

/**
 * Adds a span and merges it with all that it overlaps or touches; the merged span takes the position of the first of
 * them, and the others keep their order (section 15.3.7.2).
 */
function addSpan(spans: ByteSpan[], added: ByteSpan): void {
  let merged = added;
  let place = spans.length;
  for (let i = touching(spans, merged); i !== -1; i = touching(spans, merged)) {
    const [span] = spans.splice(i, 1);
    merged = {
      startByte: Math.min(span.startByte, merged.startByte),
      endByte: Math.max(span.endByte, merged.endByte),
    };
    place = Math.min(place, i);
  }
  spans.splice(place, 0, merged);
}

function touching(spans: readonly ByteSpan[], added: ByteSpan): number {
  return spans.findIndex((span) => span.startByte <= added.endByte && span.endByte >= added.startByte);
}
