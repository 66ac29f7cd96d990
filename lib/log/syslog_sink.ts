/**
 * Log lines to a syslog server: over UDP (RFC 5426), TCP with octet counting (RFC 6587, section 3.4.1) or a unix socket.
 *
 * @module
 */

import { OutputAway } from "./sink.ts";
import { SyslogMessages, type SyslogSettings } from "./syslog_message.ts";
import { type SyslogTarget, syslogTarget } from "./syslog_target.ts";

/** A way to a server. */
interface Channel {
  /** Whether the server has closed it. */
  readonly closed: boolean;
  send(message: Uint8Array<ArrayBuffer>): Promise<void>;
  close(): void;
}

/** Sends the lines of one log to one server. Nothing waits for it but its writer. */
export class SyslogSink {
  readonly #target: SyslogTarget;
  readonly #messages: SyslogMessages;
  #channel: Channel | undefined;
  #streams = false;

  /**
   * @param output The server, as a config names it.
   * @throws {TypeError} If that is malformed.
   */
  constructor(output: string, settings: SyslogSettings) {
    const target = syslogTarget(output);
    if (target === undefined) throw new TypeError(`${JSON.stringify(output)} is no syslog server`);
    this.#target = target;
    this.#messages = new SyslogMessages(settings, { local: target.transport === "unix" });
  }

  /**
   * Sends lines.
   *
   * @throws {OutputAway} With the lines that were not sent.
   */
  async write(bytes: Uint8Array): Promise<void> {
    const now = new Date();
    for (let from = 0; from < bytes.length;) {
      const found = bytes.indexOf(NEWLINE, from);
      const end = found < 0 ? bytes.length : found;
      try {
        if (end > from) await (await this.#open()).send(this.#messages.message(bytes.subarray(from, end), now));
      } catch (error) {
        this.close();
        // A socket of the file system that takes no datagrams is a stream.
        if (this.#streams || !(error instanceof Error && error.message.includes(EPROTOTYPE))) {
          throw new OutputAway(bytes.subarray(from), error);
        }
        this.#streams = true;
        continue;
      }
      from = end + 1;
    }
  }

  /** Closes the connection. */
  close(): void {
    this.#channel?.close();
    this.#channel = undefined;
  }

  async #open(): Promise<Channel> {
    if (this.#channel?.closed === true) this.close();
    return this.#channel ??= await open(this.#target, this.#streams);
  }
}

async function open(target: SyslogTarget, streams: boolean): Promise<Channel> {
  if (target.transport === "unix") {
    const { path } = target;
    if (streams || Deno.build.os !== "linux") return new Stream(await Deno.connect({ transport: "unix", path }));
    // Linux chooses an address for an empty path.
    return new Datagrams(Deno.listenDatagram({ transport: "unixpacket", path: "" }), { transport: "unixpacket", path });
  }
  // Looked up once: a datagram to a name would have it looked up each time. Loaded where it is needed, for a quick start.
  const { lookup } = await import("node:dns/promises");
  const { address: hostname } = await lookup(target.hostname);
  const { port } = target;
  if (target.transport === "tcp") return new Stream(await connect(hostname, port));
  const any = hostname.includes(":") ? "::" : "0.0.0.0";
  return new Datagrams(Deno.listenDatagram({ transport: "udp", hostname: any, port: 0 }), {
    ...{ transport: "udp", hostname, port },
  });
}

// Without a signal, as one that aborts in the turn in which the connection opens would leak it.
async function connect(hostname: string, port: number): Promise<Deno.Conn> {
  const opening = Deno.connect({ hostname, port });
  let late = false;
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late = true;
    timeout.reject(new Error(`no connection within ${CONNECT_MS} ms`));
  }, CONNECT_MS);
  Deno.unrefTimer(timer as unknown as number);
  opening.then((socket) => late ? socket.close() : undefined, () => {});
  try {
    return await Promise.race([opening, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

class Datagrams implements Channel {
  readonly closed = false;
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.Addr;

  constructor(socket: Deno.DatagramConn, to: Deno.Addr) {
    this.#socket = socket;
    this.#to = to;
  }

  async send(message: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#socket.send(message, this.#to);
  }

  close(): void {
    this.#socket.close();
  }
}

class Stream implements Channel {
  readonly #socket: Deno.Conn;
  closed = false;

  constructor(socket: Deno.Conn) {
    this.#socket = socket;
    // The first write after the server has closed would succeed.
    this.#watch();
  }

  async send(message: Uint8Array): Promise<void> {
    const length = new TextEncoder().encode(`${message.length} `);
    const frame = new Uint8Array(length.length + message.length);
    frame.set(length);
    frame.set(message, length.length);
    for (let at = 0; at < frame.length;) at += await this.#socket.write(frame.subarray(at));
  }

  close(): void {
    this.closed = true;
    try {
      this.#socket.close();
    } catch {
      // It is closed.
    }
  }

  async #watch(): Promise<void> {
    const bytes = new Uint8Array(1024);
    try {
      while (await this.#socket.read(bytes) !== null);
    } catch {
      // As an end.
    }
    this.closed = true;
  }
}

const NEWLINE = 0x0a;
const CONNECT_MS = 5000;
/** The runtime gives no code with it. */
const EPROTOTYPE = "os error 91";
