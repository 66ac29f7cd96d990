/**
 * Several ranges in one body, as `multipart/byteranges` (RFC 9110, section 14.6).
 *
 * @module
 */

import type { ByteSpan } from "./byte_ranges.ts";

/** A multipart body before its bytes are read. */
export interface MultipartPieces {
  /** Framing and spans in order. */
  readonly pieces: readonly (Uint8Array<ArrayBuffer> | ByteSpan)[];
  /** Exact length of the body. */
  readonly lengthBytes: number;
  /** Content-Type of the response, with the boundary. */
  readonly contentType: string;
}

/**
 * Frames spans of a file as parts.
 *
 * @param spans Spans of the file, in the order in which they are sent.
 * @param sizeBytes Size of the file.
 * @param partType Content-Type of each part.
 */
export function multipartPieces(spans: readonly ByteSpan[], sizeBytes: number, partType: string): MultipartPieces {
  // 122 random bits for each response: nobody can put the boundary into a file in advance.
  const boundary = crypto.randomUUID();
  const pieces: (Uint8Array<ArrayBuffer> | ByteSpan)[] = [];
  let lengthBytes = 0;
  for (const [i, span] of spans.entries()) {
    const head = encoder.encode(
      `${i === 0 ? "" : "\r\n"}--${boundary}\r\nContent-Type: ${partType}\r\n` +
        `Content-Range: bytes ${span.startByte}-${span.endByte - 1}/${sizeBytes}\r\n\r\n`,
    );
    pieces.push(head, span);
    lengthBytes += head.length + span.endByte - span.startByte;
  }
  const tail = encoder.encode(`\r\n--${boundary}--\r\n`);
  pieces.push(tail);
  return { pieces, lengthBytes: lengthBytes + tail.length, contentType: `multipart/byteranges; boundary=${boundary}` };
}

const encoder = new TextEncoder();
