/**
 * Names of header fields, found by their octets. Names repeat from message to message, so each is checked, made text and put
 * in lower case once. Peers choose them, so the table is bounded, and a look-up takes a bounded number of steps whatever they
 * choose.
 *
 * @module
 */

import { ascii, COLON } from "./octets.ts";
import { type KnownOctets, standsAt, wordsOf } from "./word_view.ts";

/** Fields that the codec reads itself. */
export type CodecField = "content-length" | "transfer-encoding" | "connection" | "keep-alive" | "host" | "expect";

/** A field name that is a token. */
export interface FieldName extends KnownOctets {
  /** As it came. */
  readonly name: string;
  /** In lower case. */
  readonly lower: string;
  /** Which of the codec's own fields it is; undefined for all others. */
  readonly codec: CodecField | undefined;
  /** Whether its values are credentials, of which no copy is kept. */
  readonly secret: boolean;
  /** A number of its own, from 0 on; -1 where it is not in the table. */
  readonly number: number;
}

/** The name in `bytes[start … end)`, which is a token. */
export function fieldNameAt(bytes: Uint8Array, start: number, end: number): FieldName {
  const hash = hashOf(bytes, start, end);
  for (let step = 0; step < STEPS; step++) {
    const place = (hash + step) & MASK;
    const known = table[place];
    if (known === undefined) {
      if (end - start > MAX_KEPT_LENGTH) return learn(bytes.slice(start, end), -1);
      return table[place] = learn(bytes.slice(start, end), kept++);
    }
    if (known.octets.length === end - start && standsAt(known, bytes, start)) return known;
  }
  return learn(bytes.slice(start, end), -1);
}

/** Whether `name` and a colon stand at `start`, before `end`. */
export function isNameAt(name: FieldName, bytes: Uint8Array, start: number, end: number): boolean {
  const colon = start + name.octets.length;
  return colon < end && bytes[colon] === COLON && standsAt(name, bytes, start);
}

// A few bytes distinguish the names that are in use. Names that are made to collide find their places taken, and are
// made anew each time.
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const middle = bytes[start + (length >> 1)] << 5 ^ bytes[start + (length >> 2)];
  return Math.imul(length ^ bytes[start] << 10 ^ bytes[end - 1] << 15 ^ middle, 0x9e3779b1) >>> 20;
}

function learn(octets: Uint8Array, number: number): FieldName {
  const name = ascii(octets, 0, octets.length);
  const lower = name.toLowerCase();
  const codec = CODEC_FIELDS.get(lower);
  return { name, lower, codec, secret: SECRET.has(lower), number, octets, words: wordsOf(octets) };
}

const CODEC_FIELDS: ReadonlyMap<string, CodecField> = new Map(
  (["content-length", "transfer-encoding", "connection", "keep-alive", "host", "expect"] as const)
    .map((field) => [field, field]),
);

const SECRET: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

/** Places in the table. A name is in one of the first {@linkcode STEPS} from where its hash points, or in none. */
const PLACES = 4096;
const MASK = PLACES - 1;
const STEPS = 4;
const MAX_KEPT_LENGTH = 64;
const table: (FieldName | undefined)[] = new Array(PLACES).fill(undefined);
/** How many names are in it. */
let kept = 0;
