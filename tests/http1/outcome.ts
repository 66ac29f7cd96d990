/**
 * What becomes of bytes that are fed to the codec, as plain data that can be compared.
 *
 * @module
 */

import { BodyDecoder } from "../../lib/http1/body_decoder.ts";
import type { ChunkedDecoderOptions } from "../../lib/http1/chunked_decoder.ts";
import { type BodyKind, declaredLength } from "../../lib/http1/framing.ts";
import { type HeadKind, HeadParser } from "../../lib/http1/head_parser.ts";
import { MalformedMessage } from "../../lib/http1/malformed_message.ts";

/** A head that was read, or why none was. */
export type HeadOutcome = { readonly state: "more" } | { readonly state: "malformed"; readonly error: string } | {
  readonly state: "head";
  /** Of a request: method, target, minor version. Of a response: status, minor version. Of trailers: nothing. */
  readonly first: readonly (string | number)[];
  readonly lines: readonly string[];
  /** How many bytes the head has. */
  readonly length: number;
  /** What it says of its body, or why that is malformed. */
  readonly declared: number | string;
};

/** Bytes of text, one a character. */
export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Feeds `bytes` in the pieces that `cuts` make. Those of a short head lie elsewhere for each piece, as if they had been moved. */
export function headOutcome(
  bytes: Uint8Array,
  kind: HeadKind,
  bareLineFeeds: boolean,
  cuts: readonly number[] = [],
): HeadOutcome {
  const parser = new HeadParser(kind, { bareLineFeeds });
  try {
    for (const [piece, cut] of [...cuts, bytes.length].entries()) {
      const start = bytes.length < 2000 ? piece * 7 % 13 : 0;
      const place = start === 0 ? bytes : new Uint8Array(start + cut);
      if (start > 0) place.set(bytes.subarray(0, cut), start);
      const end = parser.parse(place, start, start + cut);
      if (end >= 0) return whole(parser, kind, end - start);
    }
    return { state: "more" };
  } catch (error) {
    return { state: "malformed", error: messageOf(error) };
  }
}

function whole(parser: HeadParser, kind: HeadKind, length: number): HeadOutcome {
  const { head } = parser;
  const first = { request: [head.method, head.target, head.minorVersion], response: [head.status, head.minorVersion] };
  if (head.firstLineLength === 0) first.request = [];
  let declared: number | string = 0;
  try {
    if (kind !== "trailers") declared = declaredLength(head, kind);
  } catch (error) {
    declared = messageOf(error);
  }
  return { state: "head", first: kind === "trailers" ? [] : first[kind], lines: head.lines(), length, declared };
}

/** A body that was read, as far as it went. */
export interface BodyOutcome {
  readonly payload: string;
  readonly done: boolean;
  /** Bytes that belong to what follows. */
  readonly rest: string;
  readonly trailers: readonly string[] | undefined;
  readonly error: string | undefined;
}

/** Feeds `bytes` in the pieces that `cuts` make. */
export function bodyOutcome(
  bytes: Uint8Array,
  { kind, length = 0, cuts = [], ...options }: {
    kind: BodyKind;
    length?: number;
    cuts?: readonly number[];
  } & ChunkedDecoderOptions,
): BodyOutcome {
  const body = new BodyDecoder();
  body.begin(kind, length, options);
  let payload = "";
  let rest = "";
  let error: string | undefined;
  let from = 0;
  try {
    for (const cut of [...cuts, bytes.length]) {
      const piece = bytes.slice(from, cut);
      from = cut;
      const end = body.take(piece, 0, piece.length);
      payload += textOf(piece.subarray(0, end));
      rest += textOf(piece.subarray(body.consumed));
    }
  } catch (thrown) {
    error = messageOf(thrown);
  }
  // What a piece that is malformed brought before its fault is not handed out, so it depends on the cuts.
  if (error !== undefined) payload = rest = "";
  return { payload, done: body.done, rest, trailers: body.trailers, error };
}

function textOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function messageOf(error: unknown): string {
  if (!(error instanceof MalformedMessage)) throw error;
  return `${error.kind}: ${error.message}`;
}
