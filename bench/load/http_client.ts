/**
 * An HTTP client with one connection that costs little, trusts the plan, and counts what does not follow it as a failure.
 *
 * @module
 */

import { requestBytes, type RequestPlan } from "./request_plan.ts";

/** Room for the largest head and as much of the body as is read at a time: thousands of idle clients must fit in memory. */
const HEAD_BYTES = 4096;
const MAX_BODY_BYTES = 262_144;
const DECODER = new TextDecoder("latin1");

/** A client that follows a plan; `turn` is the path that it begins with. */
export class HttpClient {
  /** The head of the last answer. */
  head = "";
  readonly #port: number;
  readonly #plan: RequestPlan;
  readonly #requests: Uint8Array<ArrayBuffer>[];
  readonly #buffer: Uint8Array<ArrayBuffer>;
  #turn: number;
  #conn: Deno.TcpConn | undefined;

  constructor(port: number, plan: RequestPlan, turn: number) {
    this.#port = port;
    this.#plan = plan;
    this.#turn = turn;
    this.#requests = requestsOf(port, plan);
    this.#buffer = new Uint8Array(HEAD_BYTES + Math.min(plan.answerBytes, MAX_BODY_BYTES));
  }

  /** Asks once. @throws {Error} When the answer is not the expected one. */
  async exchange(): Promise<void> {
    try {
      this.#conn ??= await this.#dial();
      const request = this.#requests[this.#turn++ % this.#requests.length];
      const writing = writeAll(this.#conn, request);
      // An answer may come before all is written; its failure is the one that is told.
      writing.catch(() => {});
      const kept = await this.#answer(this.#conn);
      await writing;
      if (!kept) this.close();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Hangs up. */
  close(): void {
    this.#conn?.close();
    this.#conn = undefined;
  }

  /** Whether the other side has hung up; pends for as long as it has not. */
  async hungUp(): Promise<void> {
    try {
      await this.#conn?.read(this.#buffer);
    } catch {
      // A reset is as good as an end.
    }
  }

  async #dial(): Promise<Deno.TcpConn> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    conn.setNoDelay(true);
    return conn;
  }

  /** Reads an answer; says whether the connection may be used again. */
  async #answer(conn: Deno.TcpConn): Promise<boolean> {
    let filled = 0;
    let end = -1;
    while (end < 0) {
      const count = await conn.read(this.#buffer.subarray(filled));
      if (count === null) throw new Error("connection closed before an answer");
      filled += count;
      end = headEnd(this.#buffer, filled);
    }
    this.head = DECODER.decode(this.#buffer.subarray(0, end)).toLowerCase();
    const status = Number(this.head.slice(9, 12));
    if (status !== this.#plan.status) throw new Error(`status ${status}`);
    if (this.head.includes("\r\ntransfer-encoding: chunked")) await this.#chunked(conn, end, filled);
    else await this.#counted(conn, filled - end);
    const closed = this.head.includes("\r\nconnection: close");
    return !closed && !this.#plan.newConnection;
  }

  async #counted(conn: Deno.TcpConn, already: number): Promise<void> {
    const { answerBytes } = this.#plan;
    const told = /\r\ncontent-length: *(\d+)/.exec(this.head);
    if (answerBytes > 0 && Number(told?.[1]) !== answerBytes) throw new Error(`content-length ${told?.[1]}`);
    for (let got = already; got < answerBytes;) {
      const count = await conn.read(this.#buffer);
      if (count === null) throw new Error("response cut short");
      got += count;
    }
  }

  /** Reads chunks to the last; the bodies here hold no line that looks like it. */
  async #chunked(conn: Deno.TcpConn, from: number, filled: number): Promise<void> {
    let total = filled - from;
    let tail = DECODER.decode(this.#buffer.subarray(Math.max(from, filled - 7), filled));
    while (!tail.endsWith("0\r\n\r\n")) {
      const count = await conn.read(this.#buffer);
      if (count === null) throw new Error("response cut short");
      total += count;
      tail = (tail + DECODER.decode(this.#buffer.subarray(Math.max(0, count - 7), count))).slice(-7);
    }
    if (total <= this.#plan.answerBytes) throw new Error(`a chunked answer of ${total} bytes`);
  }
}

/** Requests are built once for all clients of a plan: an upload of 1 MB is large. */
const built = new WeakMap<RequestPlan, Uint8Array<ArrayBuffer>[]>();

function requestsOf(port: number, plan: RequestPlan): Uint8Array<ArrayBuffer>[] {
  let requests = built.get(plan);
  if (requests === undefined) {
    requests = plan.paths.map((path) => requestBytes(plan, `127.0.0.1:${port}`, path));
    built.set(plan, requests);
  }
  return requests;
}

/** Where the head ends, or -1. */
function headEnd(buffer: Uint8Array, filled: number): number {
  for (let at = 3; at < filled; at++) {
    if (buffer[at] === 10 && buffer[at - 1] === 13 && buffer[at - 2] === 10 && buffer[at - 3] === 13) return at + 1;
  }
  return -1;
}

/** Writes the whole of something. */
async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
