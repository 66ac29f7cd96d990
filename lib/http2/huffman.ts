/**
 * The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B). It is canonical: the codes follow from their lengths, in
 * the order of length and symbol. Decoding takes a whole octet a step, by a table over the nodes of the code's tree.
 *
 * @module
 */

import { HpackError } from "./hpack_error.ts";

/** The symbol behind the octets, which only pads. */
const EOS = 256;
/** How many bits the code of each symbol has. */
const BITS: Uint8Array = bitsOfSymbols();
/** The code of each octet, in its lowest bits. */
const CODES = new Int32Array(256);
/** Node × bit: the node that follows, or the complement of the symbol that ends there. The root is node 0. */
const CHILDREN = new Int16Array(2 * 256);
makeTree();

/**
 * Node × octet: the node that follows, in the lowest byte; the symbols that ended, in the next two; how many those are, in the
 * highest. {@linkcode FORBIDDEN} where EOS would have ended. 256 KiB, so that it is made when a string is first decoded.
 */
let steps: Int32Array | undefined;

/** Nodes in which a string may end: the padding is at most seven bits, all ones (the beginning of EOS). */
const MAY_END = paddingNodes();

const FORBIDDEN = -1;

/** The longest that `length` octets can become, with an octet of room that {@linkcode decodeHuffman} needs. */
export function decodedRoom(length: number): number {
  // The shortest code has five bits.
  return Math.ceil(length * 8 / 5) + 2;
}

/**
 * Decodes `bytes[start … end)` into `target`, which has the room that {@linkcode decodedRoom} tells.
 *
 * @returns How many octets were written.
 * @throws {HpackError} When EOS is in it, or its padding is longer than seven bits or not of ones.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  const table = steps ??= makeSteps();
  let node = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const step = table[node << 8 | bytes[i]];
    if (step < 0) throw new HpackError("a string holds the symbol EOS");
    target[length] = step >>> 8;
    target[length + 1] = step >>> 16;
    length += step >>> 24;
    node = step & 0xff;
  }
  if (MAY_END[node] === 0) throw new HpackError("the padding of a string is longer than 7 bits or not of ones");
  return length;
}

/** How many octets `text` takes when it is coded. Characters that are no octet count as `?`. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bits += BITS[code > 0xff ? QUESTION_MARK : code];
  }
  return (bits + 7) >> 3;
}

/**
 * Codes `text` into `target` from `at` on, where {@linkcode huffmanLength} octets have room.
 *
 * @returns Where it ends.
 */
export function encodeHuffman(text: string, target: Uint8Array, at: number): number {
  // At most seven bits wait, so a code of up to 24 bits fits beside them. Longer ones go in two parts.
  let waiting = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    let octet = text.charCodeAt(i);
    if (octet > 0xff) octet = QUESTION_MARK;
    const code = CODES[octet];
    let bits = BITS[octet];
    if (bits > 24) {
      bits -= 16;
      waiting = waiting << bits | code >>> 16;
      for (count += bits; count >= 8;) target[at++] = waiting >>> (count -= 8);
      bits = 16;
      waiting = waiting << 16 | code & 0xffff;
    } else {
      waiting = waiting << bits | code;
    }
    for (count += bits; count >= 8;) target[at++] = waiting >>> (count -= 8);
  }
  if (count > 0) target[at++] = waiting << (8 - count) | 0xff >> count;
  return at;
}

const QUESTION_MARK = 0x3f;

function makeTree(): void {
  const symbols = Array.from(BITS, (_, symbol) => symbol).sort((a, b) => BITS[a] - BITS[b] || a - b);
  let nodes = 1;
  let code = 0;
  let bits = 0;
  for (const symbol of symbols) {
    code <<= BITS[symbol] - bits;
    bits = BITS[symbol];
    if (symbol !== EOS) CODES[symbol] = code;
    let node = 0;
    for (let bit = bits - 1; bit > 0; bit--) {
      const way = 2 * node + (code >>> bit & 1);
      if (CHILDREN[way] === 0) CHILDREN[way] = nodes++;
      node = CHILDREN[way];
    }
    CHILDREN[2 * node + (code & 1)] = ~symbol;
    code++;
  }
}

function makeSteps(): Int32Array {
  // By way of half octets: sixteen times fewer walks through the tree.
  const halves = new Int32Array(256 * 16);
  for (let i = 0; i < halves.length; i++) halves[i] = walk(i >> 4, i & 15);
  const table = new Int32Array(256 * 256);
  for (let i = 0; i < table.length; i++) {
    const first = halves[i >> 8 << 4 | i >> 4 & 15];
    const second = first < 0 ? FORBIDDEN : halves[(first & 0xff) << 4 | i & 15];
    if (second < 0) table[i] = FORBIDDEN;
    else if (first >>> 24 === 0) table[i] = second;
    else {table[i] = (second & 0xff) | (first & 0xff00) | (second & 0xff00) << 8 |
        ((first >>> 24) + (second >>> 24)) << 24;}
  }
  return table;
}

/** Four bits on from a node. At most one symbol ends, as the shortest code has five. */
function walk(node: number, bits: number): number {
  let symbol = 0;
  let ended = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = CHILDREN[2 * node + (bits >> bit & 1)];
    if (next === ~EOS) return FORBIDDEN;
    node = next < 0 ? 0 : next;
    if (next >= 0) continue;
    symbol = ~next;
    ended = 1;
  }
  return node | symbol << 8 | ended << 24;
}

function paddingNodes(): Uint8Array {
  const nodes = new Uint8Array(256);
  let node = 0;
  for (let bits = 0; bits <= 7; bits++) {
    nodes[node] = 1;
    node = CHILDREN[2 * node + 1];
  }
  return nodes;
}

/** Appendix B, as runs: how many bits, and for how many symbols in a row. */
function bitsOfSymbols(): Uint8Array {
  const runs = "13 23 28x7 24 30 28x2 30 28x8 30 28x9 6 10x2 12 13 6 8 11 10x2 8 11 8 6x3 5x3 6x7 7 8 15 6 12 10 13 " +
    "6 7x22 8 7 8 13 19 13 14 6 15 5 6 5 6 5 6x3 5 7x2 6x3 5 6 7 6 5x2 6 7x5 15 11 14 13 28 20 22 20x2 " +
    "22x3 23 22 23x5 24 23 24x2 22 23 24 23x4 21 22 23 22 23x2 24 22 21 20 22x2 23x2 21 23 22x2 24 21 22 " +
    "23x2 21x2 22 21 23 22 23x2 20 22x3 23 22x2 23 26x2 20 19 22 23 22 25 26x3 27x2 26 24 25 19 21 26 " +
    "27x2 26 27 24 21x2 26x2 28 27x3 20 24 20 21 22 21x2 23 22x2 25x2 24x2 26 23 26 27 26x2 27x5 28 27x5 " +
    "26 30";
  const bits = new Uint8Array(257);
  let symbol = 0;
  for (const run of runs.split(" ")) {
    const [length, count = "1"] = run.split("x");
    bits.fill(Number(length), symbol, symbol += Number(count));
  }
  return bits;
}
