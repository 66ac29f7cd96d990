/**
 * Reading HTTP/1.1 messages off a socket for scripted peers: plainly, and with a note of whether a message came whole.
 *
 * @module
 */

/** A message as it came. */
export interface ReceivedMessage {
  /** Request line or status line. */
  firstLine: string;
  /** Header lines in order, names as they came, one character a byte. */
  headers: [name: string, value: string][];
  /** The head as it came, with its empty line. */
  head: string;
  /** The body, its transfer coding undone. */
  body: Uint8Array<ArrayBuffer>;
  /** Lines of the trailer section; undefined where there are none. */
  trailers?: string[];
  /** Whether the body ended as its framing says; a body that ends with the connection is whole when nothing broke. */
  whole: boolean;
}

/** Room for what comes at first; most messages are smaller. */
const FIRST_BYTES = 8 * 1024;

/** Reads messages from one connection. */
export class MessageReader {
  readonly #conn: { read(buffer: Uint8Array): Promise<number | null> };
  #store = new Uint8Array(FIRST_BYTES);
  #start = 0;
  #end = 0;
  #ended = false;
  /** What the last read failed with; undefined after an orderly end. */
  broken: unknown;

  /** Reads from `conn`, which stays with the caller. */
  constructor(conn: { read(buffer: Uint8Array): Promise<number | null> }) {
    this.#conn = conn;
  }

  /** Bytes that were read and belong to no message yet, as text. */
  get rest(): string {
    return text(this.#store.subarray(this.#start, this.#end));
  }

  /** Reads on until the connection ends. */
  async end(): Promise<void> {
    while (await this.#more());
  }

  /** The next request, or undefined when the connection ended before it began. */
  async request(): Promise<ReceivedMessage | undefined> {
    const message = await this.head();
    if (message !== undefined) await this.body(message, { closeEnds: false });
    return message;
  }

  /** The next answer to `method`, interim ones included, or undefined when the connection ended before it began. */
  async answer(method = "GET"): Promise<ReceivedMessage | undefined> {
    const message = await this.head();
    if (message === undefined) return undefined;
    const status = statusOf(message);
    const bodiless = method === "HEAD" || status < 200 || status === 204 || status === 304;
    if (bodiless) message.whole = true;
    else await this.body(message, { closeEnds: true });
    return message;
  }

  /** The next head alone. A head that breaks off is undefined too: `rest` has what came of it. */
  async head(): Promise<ReceivedMessage | undefined> {
    let end = this.#indexOf("\r\n\r\n");
    while (end < 0) {
      if (!await this.#more()) return undefined;
      end = this.#indexOf("\r\n\r\n");
    }
    const head = text(this.#take(end + 4));
    const [firstLine, ...lines] = head.slice(0, -4).split("\r\n");
    const headers = lines.map((line): [string, string] => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    return { firstLine, headers, head, body: new Uint8Array(0), whole: false };
  }

  /** Reads the body of `message` into it. `closeEnds` tells whether a body without framing lasts until the end. */
  async body(message: ReceivedMessage, { closeEnds }: { closeEnds: boolean }): Promise<void> {
    const length = header(message, "content-length");
    if (header(message, "transfer-encoding") !== undefined) return await this.#chunked(message);
    if (length === undefined && !closeEnds) {
      message.whole = true;
      return;
    }
    const wanted = length === undefined ? Infinity : Number(length);
    while (this.#length < wanted && await this.#more());
    message.body = this.#take(Math.min(wanted, this.#length));
    message.whole = length === undefined ? this.broken === undefined : message.body.length === wanted;
  }

  async #chunked(message: ReceivedMessage): Promise<void> {
    const chunks: Uint8Array[] = [];
    for (;;) {
      const line = await this.#line();
      const size = line === undefined ? NaN : parseInt(line, 16);
      if (Number.isNaN(size)) break;
      if (size === 0) {
        for (let trailer = await this.#line(); trailer !== undefined; trailer = await this.#line()) {
          if (trailer === "") message.whole = true;
          if (trailer === "") break;
          (message.trailers ??= []).push(trailer);
        }
        break;
      }
      while (this.#length < size + 2 && await this.#more());
      chunks.push(this.#take(Math.min(size, this.#length)));
      if (this.#length < 2) break;
      this.#take(2);
    }
    message.body = new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  }

  async #line(): Promise<string | undefined> {
    let end = this.#indexOf("\r\n");
    while (end < 0) {
      if (!await this.#more()) return undefined;
      end = this.#indexOf("\r\n");
    }
    return text(this.#take(end + 2)).slice(0, -2);
  }

  get #length(): number {
    return this.#end - this.#start;
  }

  #indexOf(mark: string): number {
    const bytes = this.#store.subarray(this.#start, this.#end);
    for (let at = bytes.indexOf(13); at >= 0; at = bytes.indexOf(13, at + 1)) {
      if (text(bytes.subarray(at, at + mark.length)) === mark) return at;
    }
    return -1;
  }

  #take(count: number): Uint8Array<ArrayBuffer> {
    const taken = this.#store.slice(this.#start, this.#start + count);
    this.#start += count;
    return taken;
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false;
    if (this.#start > 0) {
      this.#store.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#store.length - this.#end < FIRST_BYTES) {
      const larger = new Uint8Array(4 * this.#store.length);
      larger.set(this.#store);
      this.#store = larger;
    }
    let count: number | null = null;
    try {
      count = await this.#conn.read(this.#store.subarray(this.#end));
    } catch (error) {
      this.broken = error;
    }
    if (count === null) {
      this.#ended = true;
      return false;
    }
    this.#end += count;
    return true;
  }
}

/** Status of an answer. */
export function statusOf(message: ReceivedMessage): number {
  return Number(message.firstLine.split(" ")[1]);
}

/** The first value of a field of `message`, by its name in lower case. */
export function header(message: ReceivedMessage, lowerName: string): string | undefined {
  return message.headers.find(([name]) => name.toLowerCase() === lowerName)?.[1];
}

/** All values of a field of `message`, by its name in lower case. */
export function headerAll(message: ReceivedMessage, lowerName: string): string[] {
  return message.headers.filter(([name]) => name.toLowerCase() === lowerName).map(([, value]) => value);
}

/** Bytes as text, one character a byte. */
export function text(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** Text as bytes, one byte a character. */
export function bytesOf(value: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string") return value;
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = value.charCodeAt(i);
  return bytes;
}

/** Writes all of `value`; false when the other side takes no more. */
export async function writeAll(
  conn: { write(bytes: Uint8Array): Promise<number> },
  value: string | Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  let rest: Uint8Array = bytesOf(value);
  try {
    while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
    return true;
  } catch {
    return false;
  }
}
