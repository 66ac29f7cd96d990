/**
 * A port that is kept open: `Deno.serve`, opened again whenever it ends. After one accept that fails, as when file handles
 * run out, the runtime closes the socket and never accepts again.
 *
 * @module
 */

import { settledWithin } from "../../state/settled_within.ts";
import { unseenWork } from "../../state/unseen_work.ts";
import { handlesOut, type PortOptions, type PortStatus } from "../port.ts";
import { Uploads } from "./uploads.ts";

/** How a port is opened. */
export interface ServingPortOptions extends PortOptions {
  /** Responds to requests, and adds the uploads that it reads. */
  readonly handler: (
    request: Request,
    info: Deno.ServeHandlerInfo<Deno.NetAddr>,
    uploads: Uploads,
  ) => Response | Promise<Response>;
  /**
   * Whether a port that is in use at the start is opened as soon as it is free, in place of an error.
   *
   * @default {false}
   */
  readonly waits?: boolean;
}

/** Pause before the first try to open, and the longest one. Each try that fails doubles it. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 2000;
/** How long a port must be open to count as open, so that the next pause is the first one again. */
const STABLE_MS = 1000;
/** Failed accepts in a row after which idle connections to upstreams are closed too. */
const MOST_ENDINGS = 3;
/** How long uploads may delay the closing of idle connections when a port has closed. */
const UPLOAD_GRACE_MS = 2000;

/** A port that is kept open until it is shut down. Owned by its listener. */
export class ServingPort {
  readonly #options: ServingPortOptions;
  /** Aborts {@linkcode #server}; the runtime throws if that has ended. */
  #aborter = new AbortController();
  readonly #address: Deno.NetAddr;
  /** Servers that accept no more, with exchanges under way. */
  readonly #ended = new Set<Promise<void>>();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  /** Uploads of {@linkcode #server}, and of those that have ended. */
  #uploads = new Uploads();
  readonly #endedUploads = new Set<Uploads>();
  #closing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #openedMs = 0;
  /** How often the port has ended in a row, each time after less than a second, or could not be opened. */
  #endings = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #status: PortStatus;

  /**
   * Opens the port.
   *
   * @throws {Error} When the port cannot be opened.
   */
  constructor(options: ServingPortOptions) {
    this.#options = options;
    const { hostname, port, waits = false } = options;
    let reason: string | null = null;
    try {
      this.#address = this.#open(port);
    } catch (error) {
      if (!waits || !(error instanceof Deno.errors.AddrInUse)) throw error;
      this.#address = { transport: "tcp", hostname, port };
      reason = reasonOf(error);
      this.#openLater();
    }
    this.#status = {
      ...{ address: this.#address.hostname, port: this.#address.port, listener: "runtime", open: reason === null },
      ...{ closedAtMs: reason === null ? null : Date.now(), failingAtMs: null, reason, reopenings: 0 },
    };
  }

  /** The address on which it listens, or will listen again. */
  get address(): Deno.NetAddr {
    return this.#address;
  }

  /** Whether it is open. */
  get status(): PortStatus {
    return this.#status;
  }

  /** Closes idle connections; the port must be closed and opened again for that. */
  closeIdle(): void {
    if (this.#server === undefined || this.#closing) return;
    this.#forgetEndings();
    this.#replace(this.#server, "idle connections were closed, since file handles had run out");
  }

  /** Settles when the uploads that are under way now have ended: {@linkcode shutdown} would break them. */
  async uploadsEnded(): Promise<void> {
    await Promise.all([...this.#endedUploads, this.#uploads].map((uploads) => uploads.ended()));
  }

  /** Stops accepting, closes idle connections, and waits for the exchanges under way; uploads are broken. */
  async shutdown(): Promise<void> {
    this.#stop();
    this.#uploads.cut("The port was closed while the body was arriving");
    await Promise.all([this.#server?.shutdown(), ...this.#ended]);
  }

  /** Stops accepting and closes all connections. */
  async abort(): Promise<void> {
    this.#stop();
    if (this.#server === undefined) return;
    this.#aborter.abort();
    await this.#server.finished.catch(() => {});
  }

  #stop(): void {
    this.#closing = true;
    clearTimeout(this.#timer);
  }

  #open(port: number): Deno.NetAddr {
    const { hostname, shared, handler } = this.#options;
    this.#aborter = new AbortController();
    const uploads = new Uploads();
    const server = Deno.serve(
      { hostname, port, reusePort: shared, signal: this.#aborter.signal, onListen: () => {} },
      (request, info) => handler(request, info, uploads),
    );
    this.#server = server;
    this.#uploads = uploads;
    this.#openedMs = performance.now();
    unseenWork.pending++;
    server.finished.then(
      () => this.#serverEnded(server, "the runtime stopped listening"),
      (error) => this.#serverEnded(server, reasonOf(error)),
    );
    return server.addr;
  }

  #serverEnded(server: Deno.HttpServer<Deno.NetAddr>, reason: string): void {
    unseenWork.pending--;
    if (this.#closing || this.#server !== server) return;
    this.#forgetEndings();
    this.#replace(server, reason);
    this.#askForHandles(reason);
  }

  // If the port was open for long enough, the earlier failures no longer count.
  #forgetEndings(): void {
    if (performance.now() - this.#openedMs < STABLE_MS) return;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#endings = 0;
  }

  // After the port was closed, never while it is open: it would be closed once more, and the pause lost.
  #askForHandles(reason: string): void {
    this.#endings++;
    if (handlesOut(reason)) this.#options.onHandlesOut?.(this.#endings > MOST_ENDINGS);
  }

  #replace(server: Deno.HttpServer<Deno.NetAddr>, reason: string): void {
    clearTimeout(this.#timer);
    this.#server = undefined;
    this.#closeIdle(server);
    this.#closed(reason);
    this.#openLater();
  }

  // Accepted connections stay open without the server. Its shutdown closes idle connections, also those with half a head,
  // and lets exchanges end, but breaks uploads.
  #closeIdle(server: Deno.HttpServer<Deno.NetAddr>): void {
    const uploads = this.#uploads;
    this.#endedUploads.add(uploads);
    const done: Promise<void> = settledWithin(uploads.ended(), UPLOAD_GRACE_MS).then(() => {
      uploads.cut("The port was closed while the body was arriving: file handles had run out");
      return server.shutdown();
    }).catch(() => {}).then(() => {
      this.#endedUploads.delete(uploads);
      this.#ended.delete(done);
    });
    this.#ended.add(done);
  }

  #closed(reason: string): void {
    const before = this.#status;
    this.#status = { ...before, open: false, closedAtMs: before.closedAtMs ?? Date.now(), reason };
    if (before.open) this.#options.onChange?.(this.#status, before);
  }

  #openLater(): void {
    this.#timer = setTimeout(() => this.#openAgain(), this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #openAgain(): void {
    try {
      this.#open(this.#address.port);
    } catch (error) {
      const reason = reasonOf(error);
      this.#closed(reason);
      this.#openLater();
      return this.#askForHandles(reason);
    }
    this.#status = { ...this.#status, reopenings: this.#status.reopenings + 1 };
    this.#timer = setTimeout(() => {
      const before = this.#status;
      this.#status = { ...before, open: true, closedAtMs: null, reason: null };
      this.#options.onChange?.(this.#status, before);
    }, STABLE_MS);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
