/**
 * Names of header fields, found by their octets. Names repeat from message to message, so each is checked, made text and put
 * in lower case once. Peers choose them, so the table is bounded, and a look-up takes a bounded number of steps whatever they
 * choose.
 *
 * @module
 */

import { ascii } from "./octets.ts";

/** Fields that the codec reads itself. */
export type CodecField = "content-length" | "transfer-encoding" | "connection" | "keep-alive" | "host" | "expect";

/** A field name that is a token. */
export interface FieldName {
  /** As it came. */
  readonly name: string;
  /** In lower case. */
  readonly lower: string;
  /** Which of the codec's own fields it is; undefined for all others. */
  readonly codec: CodecField | undefined;
  /** Hash of the name as it came. */
  readonly hash: number;
}

/** One step of the hash that {@linkcode fieldNameAt} expects. */
export function hashStep(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/**
 * The name in `bytes[start … end)`, which is a token.
 *
 * @param hash {@linkcode hashStep} over its bytes, from 0.
 */
export function fieldNameAt(bytes: Uint8Array, start: number, end: number, hash: number): FieldName {
  const first = (hash ^ (hash >>> 15)) & MASK;
  for (let step = 0; step < STEPS; step++) {
    const place = (first + step) & MASK;
    const known = table[place];
    if (known === undefined) {
      const learned = learn(ascii(bytes, start, end), hash);
      if (learned.name.length <= MAX_KEPT_LENGTH) table[place] = learned;
      return learned;
    }
    if (known.hash === hash && sameBytes(known.name, bytes, start, end)) return known;
  }
  return learn(ascii(bytes, start, end), hash);
}

function sameBytes(name: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}

function learn(name: string, hash: number): FieldName {
  const lower = name.toLowerCase();
  return { name, lower, codec: CODEC_FIELDS.get(lower), hash };
}

const CODEC_FIELDS: ReadonlyMap<string, CodecField> = new Map(
  (["content-length", "transfer-encoding", "connection", "keep-alive", "host", "expect"] as const)
    .map((field) => [field, field]),
);

/** Places in the table. A name is in one of the first {@linkcode STEPS} from where its hash points, or in none. */
const PLACES = 4096;
const MASK = PLACES - 1;
const STEPS = 4;
const MAX_KEPT_LENGTH = 64;
const table: (FieldName | undefined)[] = new Array(PLACES).fill(undefined);
