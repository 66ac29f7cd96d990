/**
 * Replies of Redis, from the bytes of a connection (RESP, version 2).
 *
 * @module
 */

/** A reply. `null` is Redis's word for a value that is not there. */
export type RedisReply = string | number | null | RedisError | readonly RedisReply[];

/** An error that Redis replied with, in its words: `WRONGPASS invalid username-password pair`. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** Longest text in a reply, and longest reply that is not whole yet, in bytes. */
const MOST_BYTES = 16 << 20;
/** Deepest list in a list: scripts of this program reply with one. */
const MOST_DEPTH = 8;
/** What a server that does not know a command repeats of it: of AUTH that is the password. */
const ARGUMENTS = /,? *with args beginning with:.*$/is;
const CR = 0x0d;

/** Puts replies together. Owned by a connection. */
export class ReplyReader {
  #bytes = new Uint8Array(0);
  #at = 0;

  /** Takes bytes of the connection, which may change afterwards. */
  push(bytes: Uint8Array): void {
    const rest = this.#bytes.length - this.#at;
    if (rest + bytes.length > MOST_BYTES) throw new Error("Cannot read a reply of Redis: it is longer than 16 MiB");
    const joined = new Uint8Array(rest + bytes.length);
    joined.set(this.#bytes.subarray(this.#at));
    joined.set(bytes, rest);
    this.#bytes = joined;
    this.#at = 0;
  }

  /**
   * The next reply; undefined until more bytes are there.
   *
   * @throws {Error} The bytes are no reply.
   */
  next(): RedisReply | undefined {
    const start = this.#at;
    const reply = this.#read(0);
    if (reply === undefined) this.#at = start;
    return reply;
  }

  #read(depth: number): RedisReply | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    const [kind, text] = [line[0], line.slice(1)];
    if (kind === "+") return text;
    if (kind === "-") return new RedisError(text.replace(ARGUMENTS, ""));
    if (kind === ":") return integerOf(text);
    if (kind === "$") return this.#bulk(integerOf(text));
    if (kind === "*" && depth < MOST_DEPTH) return this.#list(integerOf(text), depth);
    throw new Error("Cannot read a reply of Redis: what responds there does not speak its protocol");
  }

  #line(): string | undefined {
    const end = this.#bytes.indexOf(CR, this.#at);
    // LF follows CR.
    if (end < 0 || end + 1 >= this.#bytes.length) return undefined;
    const line = DECODER.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 2;
    return line;
  }

  #bulk(length: number): string | null | undefined {
    if (length < 0) return null;
    const end = this.#at + length;
    if (end + 2 > this.#bytes.length) return undefined;
    const text = DECODER.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 2;
    return text;
  }

  #list(length: number, depth: number): readonly RedisReply[] | null | undefined {
    if (length < 0) return null;
    const items: RedisReply[] = [];
    while (items.length < length) {
      const item = this.#read(depth + 1);
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}

function integerOf(text: string): number {
  if (!/^-?\d{1,15}$/.test(text)) throw new Error("Cannot read a reply of Redis: a number was expected");
  return Number(text);
}

const DECODER = new TextDecoder();
