/**
 * A client for services that BWS itself asks, such as one that decides whether a request may pass: GETs with small responses,
 * over connections that are kept. Failures of a service say nothing of upstreams.
 *
 * @module
 */

import { TransportFailure } from "../failure/failure.ts";
import { type BodySink, keep, type Ownership } from "../http/body.ts";
import { joined } from "../http/body_reader.ts";
import { connectionNamed, HOP_BY_HOP } from "../http/hop_by_hop.ts";
import type { HeaderLines } from "../http/message.ts";
import type { ResponseHead } from "../http1/response_head.ts";
import { parseEndpoint } from "../sockets/endpoint.ts";
import type { CoarseClock } from "../state/coarse_clock.ts";
import { ConnectionPool } from "./connection/connection_pool.ts";
import type { DialLimit } from "./connection/dial_queue.ts";
import type { IdleRelease } from "./connection/idle_release.ts";
import type { ConnectionUser, LentConnection } from "./connection/lent_connection.ts";
import { splitServiceUrl } from "./service_url.ts";

/** How a service is asked. */
export interface ServiceOptions {
  /** Its URL, which `serviceUrlFault` has let through. */
  readonly url: string;
  /** Longest time from the start to the end of a response, in milliseconds. */
  readonly timeoutMs: number;
  /** Largest body of a response. */
  readonly maxBodyBytes: number;
  /** Path of a PEM file of certificates that are trusted in addition to the system's. */
  readonly caFile?: string | undefined;
}

/** What a service client shares with the process. */
export interface ServiceContext {
  readonly clock: CoarseClock;
  readonly dialLimit: DialLimit;
  readonly idleConnections: IdleRelease;
}

/** A response of a service. */
export interface ServiceResponse {
  readonly status: number;
  /** Reason phrase; undefined for the usual one. */
  readonly reason: string | undefined;
  /** Without hop-by-hop fields and Content-Length; names as they came. */
  readonly headers: HeaderLines;
  /** null where it has none, or it was not wanted. */
  readonly body: Uint8Array<ArrayBuffer> | null;
}

/** How one request is asked. */
export interface ServiceCall {
  /** Header lines as text, each with its CRLF, besides Host. */
  readonly lines: string;
  /** Whether the body of a response is wanted. */
  wantsBody(status: number): boolean;
  /** Fires when nobody waits for the response any more. Read while one waits, not for each request. */
  readonly signal?: AbortSignal;
}

/** Asks one service. Owned by its generation, which closes it. */
export class ServiceClient {
  readonly #pool: ConnectionPool;
  readonly #head: string;
  readonly #options: ServiceOptions;
  readonly #clock: CoarseClock;

  /** @throws {Error} When `caFile` cannot be read. */
  constructor(options: ServiceOptions, { clock, dialLimit, idleConnections }: ServiceContext) {
    const { address, target } = splitServiceUrl(options.url);
    const { caFile, timeoutMs } = options;
    const tls = caFile === undefined ? undefined : { caCertificates: [Deno.readTextFileSync(caFile)] };
    const endpoint = parseEndpoint(address, tls);
    this.#head = `GET ${target} HTTP/1.1\r\nhost: ${endpoint.authority}\r\n`;
    this.#options = options;
    this.#clock = clock;
    const limits = { readTimeoutMs: timeoutMs, writeTimeoutMs: timeoutMs, clientTimeoutMs: Infinity };
    this.#pool = new ConnectionPool(endpoint, { ...limits, ...KEPT, dialLimit, idleConnections }, clock);
  }

  /**
   * Asks the service once; a second time where a kept connection ended before any byte of a response.
   *
   * @throws {TransportFailure} When there is no whole response within the time and the size.
   */
  async ask(call: ServiceCall): Promise<ServiceResponse> {
    const kept = this.#pool.take();
    if (kept !== undefined) {
      try {
        return await this.#askOn(kept, call);
      } catch (error) {
        if (!(error instanceof TransportFailure) || !UNANSWERED.has(error.kind)) throw error;
      }
    }
    return await this.#askOn(await this.#connect(call), call);
  }

  /** Closes idle connections, and those in use once they are released. */
  close(): void {
    this.#pool.close();
  }

  async #connect(call: ServiceCall): Promise<LentConnection> {
    const wait = this.#pool.obtain({ fresh: true, timeoutMs: this.#options.timeoutMs });
    const leave = () => wait.leave();
    const { signal } = call;
    signal?.addEventListener("abort", leave);
    if (signal?.aborted) leave();
    try {
      return await wait.result;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  #askOn(connection: LentConnection, call: ServiceCall): Promise<ServiceResponse> {
    const asked = new ServiceRequest(connection, {
      call,
      release: () => this.#pool.release(connection, true),
      deadlineMs: this.#clock.preciseMs + this.#options.timeoutMs,
      ...this.#options,
    }, this.#clock);
    asked.send(`${this.#head}${call.lines}\r\n`);
    return asked.result;
  }
}

const KEPT = { idle_timeout: 60_000, max_idle: 64, maxHeadBytes: 64 * 1024 };
const UNANSWERED: ReadonlySet<string> = new Set(["closed_unused", "closed_unanswered", "refused"]);

interface ServiceRequestOptions extends ServiceOptions {
  readonly call: ServiceCall;
  readonly release: () => void;
  readonly deadlineMs: number;
}

/** One request on one connection, which it releases or closes. */
class ServiceRequest implements ConnectionUser, BodySink {
  readonly method = "GET";
  readonly acceptsTrailers = false;
  readonly sendsBody = false;
  readonly #connection: LentConnection;
  readonly #options: ServiceRequestOptions;
  readonly #clock: CoarseClock;
  readonly #response = Promise.withResolvers<ServiceResponse>();
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;
  #head: Omit<ServiceResponse, "body"> | undefined;
  /** Whether pieces are kept. */
  #wanted = true;
  #signal: AbortSignal | undefined;
  #over = false;

  constructor(connection: LentConnection, options: ServiceRequestOptions, clock: CoarseClock) {
    this.#connection = connection;
    this.#options = options;
    this.#clock = clock;
  }

  get result(): Promise<ServiceResponse> {
    return this.#response.promise;
  }

  send(text: string): void {
    this.#connection.begin(this);
    try {
      this.#connection.ask(text);
      this.#connection.requestComplete();
    } catch (error) {
      this.onFailed(error);
    }
  }

  onHead(head: ResponseHead): void {
    if (head.status === 101) return this.onFailed(tooMuch("switched protocols, which nobody asked for"));
    this.#head = { status: head.status, reason: head.reason, headers: endToEnd(head) };
    this.#wanted = this.#options.call.wantsBody(head.status);
    let whole: Uint8Array<ArrayBuffer> | null | undefined;
    try {
      whole = this.#connection.wholeBody();
    } catch (error) {
      return this.onFailed(error);
    }
    if (whole !== undefined) {
      if (whole === null || this.#take(whole, "lent")) this.end();
      return;
    }
    // The rest is read all the same, so that the connection can be used again.
    if (!this.#wanted) this.#respond();
    const { body } = this.#connection;
    body.start(this);
    if (!this.#over) body.pull();
  }

  piece(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): void {
    if (this.#take(bytes, ownership)) this.#connection.body.pull();
  }

  end(): void {
    if (this.#over) return;
    this.#respond();
    this.#finish();
    this.#options.release();
  }

  fail(reason: unknown): void {
    this.onFailed(reason);
  }

  onFailed(failure: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#connection.close();
    this.#response.reject(failure);
  }

  /** Enforces the timeout of the whole, and looks whether the response is still waited for. */
  onTick(): void {
    const { timeoutMs, deadlineMs, call } = this.#options;
    if (this.#clock.nowMs > deadlineMs) {
      return this.#connection.abort(new TransportFailure("read_timeout", `It did not respond within ${timeoutMs} ms`));
    }
    if (this.#signal !== undefined || call.signal === undefined) return;
    this.#signal = call.signal;
    this.#signal.addEventListener("abort", this.#leave);
    if (this.#signal.aborted) this.#leave();
  }

  onInterim(): void {}
  onDrained(): void {}

  readonly #leave = (): void => {
    this.#connection.abort(new TransportFailure("client_left", "Nobody waits for the response any more"));
  };

  /** Takes bytes of the body; false if they are too many. */
  #take(bytes: Uint8Array<ArrayBuffer>, ownership: Ownership): boolean {
    this.#bytes += bytes.length;
    const { maxBodyBytes } = this.#options;
    if (this.#bytes > maxBodyBytes) {
      this.onFailed(tooMuch(`has a body of more than ${maxBodyBytes} bytes`));
      return false;
    }
    if (this.#wanted) this.#pieces.push(keep(bytes, ownership));
    return true;
  }

  #respond(): void {
    const body = this.#wanted && this.#bytes > 0 ? joined(this.#pieces, this.#bytes) : null;
    this.#response.resolve({ ...this.#head as Omit<ServiceResponse, "body">, body });
  }

  #finish(): void {
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#leave);
  }
}

function tooMuch(what: string): TransportFailure {
  return new TransportFailure("malformed", `Its response ${what}`);
}

function endToEnd({ headers, lowerNames, connection }: ResponseHead): HeaderLines {
  const named = connection === undefined ? undefined : connectionNamed(connection);
  const kept: HeaderLines = [];
  for (let i = 0; i < lowerNames.length; i++) {
    const name = lowerNames[i];
    if (HOP_BY_HOP.has(name) || name === "content-length" || named?.includes(name) === true) continue;
    kept.push(headers[2 * i], headers[2 * i + 1]);
  }
  return kept;
}
