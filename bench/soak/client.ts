/**
 * Clients of the soak, a process of its own that is killed at random. Argument: the port of the proxy. Each of its connections makes
 * random requests, leaves some of them in the middle, and checks what comes back. It prints a line of counts every second, and a
 * line for each body that is not what it should be.
 *
 * @module
 */

import process from "node:process";

const CONNECTIONS = 24;
const PAUSE_MS = 40;
const LARGEST = 300_000;

const port = Number(Deno.args[0]);
const counts = { whole: 0, failed: 0, left: 0, cut: 0, messages: 0 };
const latin1 = new TextDecoder("latin1");
const encoder = new TextEncoder();

/** A connection that reads whole responses by their length or to the last chunk. */
class Connection {
  readonly #conn: Deno.TcpConn;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.#conn.write(bytes.subarray(sent));
  }

  /** The status and body of a response. */
  async response(): Promise<{ status: number; body: Uint8Array }> {
    const head = latin1.decode(await this.#until("\r\n\r\n"));
    const length = /\r\ncontent-length: (\d+)/i.exec(head);
    const status = Number(head.slice(9, 12));
    if (length !== null) return { status, body: await this.#take(Number(length[1])) };
    const chunks: Uint8Array[] = [];
    for (;;) {
      const size = parseInt(latin1.decode(await this.#until("\r\n")), 16);
      const chunk = await this.#take(size + 2);
      if (size === 0) return { status, body: await new Blob(chunks as BlobPart[]).bytes() };
      chunks.push(chunk.subarray(0, size));
    }
  }

  close(): void {
    this.#conn.close();
  }

  async #until(end: string): Promise<Uint8Array> {
    for (;;) {
      const at = latin1.decode(this.#bytes).indexOf(end);
      if (at >= 0) return this.#cut(at + end.length);
      await this.#more();
    }
  }

  async #take(count: number): Promise<Uint8Array> {
    while (this.#bytes.length < count) await this.#more();
    return this.#cut(count);
  }

  #cut(count: number): Uint8Array {
    const taken = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.slice(count);
    return taken;
  }

  async #more(): Promise<void> {
    const piece = new Uint8Array(65_536);
    const count = await this.#conn.read(piece);
    if (count === null) throw new Error("closed");
    const both = new Uint8Array(this.#bytes.length + count);
    both.set(this.#bytes);
    both.set(piece.subarray(0, count), this.#bytes.length);
    this.#bytes = both;
  }
}

function size(): number {
  return Math.floor(Math.random() ** 6 * LARGEST);
}

function isPattern(body: Uint8Array, length: number): boolean {
  return body.length === length && body.every((byte, i) => byte === (i & 0xff));
}

/** One request; whether the connection can take another. */
async function exchange(connection: Connection): Promise<boolean> {
  const length = size();
  const kind = Math.floor(Math.random() * 4);
  const pattern = new Uint8Array(length).map((_, i) => i & 0xff);
  const head = kind === 0
    ? `GET /${length} HTTP/1.1\r\nHost: soak\r\n\r\n`
    : kind === 1
    ? `GET /chunked/${length} HTTP/1.1\r\nHost: soak\r\n\r\n`
    : kind === 2
    ? `POST /echo HTTP/1.1\r\nHost: soak\r\nContent-Length: ${length}\r\n\r\n`
    : `POST /echo HTTP/1.1\r\nHost: soak\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const body = kind === 2 ? pattern : kind === 3
    ? await new Blob([
      length === 0 ? "" : `${length.toString(16)}\r\n`,
      pattern,
      length === 0 ? "0\r\n\r\n" : "\r\n0\r\n\r\n",
    ]).bytes()
    : new Uint8Array(0);
  const bytes = await new Blob([head, body as BlobPart]).bytes();
  const leaves = Math.random();
  if (leaves < 0.05) {
    // In the middle of the request, or before the response.
    await connection.send(bytes.subarray(0, Math.floor(Math.random() * (bytes.length + 1))));
    counts.left++;
    return false;
  }
  const [response] = await Promise.all([connection.response(), connection.send(bytes)]);
  if (response.status !== 200) counts.failed++;
  else if (isPattern(response.body, length)) counts.whole++;
  else say(`WRONG ${kind} ${length}: ${response.body.length} bytes`);
  return true;
}

async function requests(): Promise<void> {
  for (;;) {
    try {
      const connection = new Connection(await Deno.connect({ hostname: "127.0.0.1", port }));
      try {
        while (await exchange(connection)) await pause(PAUSE_MS * 2 * Math.random());
      } finally {
        connection.close();
      }
    } catch {
      counts.cut++;
      await pause(PAUSE_MS);
    }
  }
}

async function messages(): Promise<void> {
  for (;;) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    await new Promise((resolve) => {
      let expected = "";
      const send = () => {
        expected = "m".repeat(size());
        socket.send(expected);
      };
      socket.onopen = send;
      socket.onmessage = ({ data }) => {
        if (data !== expected) say(`WRONG message of ${data.length}, not ${expected.length}`);
        counts.messages++;
        if (Math.random() < 0.02) socket.close();
        else setTimeout(() => socket.readyState === WebSocket.OPEN && send(), PAUSE_MS);
      };
      socket.onclose = resolve;
      socket.onerror = resolve;
    });
    await pause(PAUSE_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function say(line: string): void {
  process.stdout.write(encoder.encode(line + "\n"));
}

for (let i = 0; i < CONNECTIONS; i++) {
  requests();
  if (i % 4 === 0) messages();
}
setInterval(() => {
  say(JSON.stringify(counts));
  for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] = 0;
}, 1000);
