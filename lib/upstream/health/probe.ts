/**
 * One probe of one upstream, over a connection of its own.
 *
 * @module
 */

import type { ConnectionUser, LentConnection } from "../connection/lent_connection.ts";
import { BodyReader } from "../../http/body_reader.ts";
import { proxyHeader } from "../../http/proxy_protocol.ts";
import type { ResponseHead } from "../../http1/response_head.ts";
import { grpcCheckHead, grpcCheckMessage, grpcFault } from "./grpc_check.ts";
import { ProbeBody } from "./probe_body.ts";
import { ProbeConnection } from "./probe_connection.ts";
import { dial, name } from "../../sockets/dial.ts";
import type { Socket } from "../../sockets/socket.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { HealthCheck } from "./health_check.ts";
import { StallTolerantTimer } from "../../state/stall_tolerant_timer.ts";
import { probedEndpoint, probeHead, probeName, statusFault } from "./probe_message.ts";

/** Result of a probe. */
export type ProbeResult = GoodProbe | BadProbe;

/** A probe that could not be made, because this machine ran out of a resource: it is no result for the upstream. */
export interface MissedProbe {
  readonly healthy: undefined;
  /** The missing resource and what to do, for operators. */
  readonly reason: string;
}

/** The upstream is healthy. */
export interface GoodProbe {
  readonly healthy: true;
  /** How long all of the probe took, in milliseconds. */
  readonly tookMs: number;
}

/** The upstream is not healthy. */
export interface BadProbe {
  readonly healthy: false;
  /** The reason, for operators; may quote bytes of the upstream. */
  readonly reason: string;
  /** Whether no connection was established in time, as when the upstream accepts TCP but sends no TLS handshake. */
  readonly unconnected: boolean;
}

/** How a probe is made. */
export interface ProbeOptions {
  /** Cancels the probe; its result is then meaningless. */
  readonly signal?: AbortSignal;
  /**
   * For an upstream whose last probe got no connection in time: checks first, at the cost of a second handshake,
   * whether it speaks TLS at all. When a handshake of the runtime's TLS is aborted, its socket stays open until the
   * other side closes, so that each probe of an upstream that hangs would leak one.
   *
   * @default {false}
   */
  readonly checkTlsFirst?: boolean;
}

/**
 * Probes an upstream once. Never throws; nothing of it lasts longer than the promise.
 *
 * @param endpoint The upstream's; the check may name another port.
 */
export async function probe(
  endpoint: Endpoint,
  check: HealthCheck,
  options: ProbeOptions = {},
): Promise<ProbeResult | MissedProbe> {
  const { signal, checkTlsFirst = false } = options;
  if (signal?.aborted) return bad(BROKEN_OFF);
  const run = new ProbeRun(endpoint, check);
  const timer = new StallTolerantTimer(() => run.cancel(run.lateness()), check.timeout);
  const leave = () => run.cancel(bad(BROKEN_OFF));
  signal?.addEventListener("abort", leave, { once: true });
  try {
    return await run.result(checkTlsFirst);
  } finally {
    timer.stop();
    signal?.removeEventListener("abort", leave);
  }
}

class ProbeRun {
  readonly #endpoint: Endpoint;
  readonly #dialled: Endpoint;
  readonly #check: HealthCheck;
  readonly #result = Promise.withResolvers<ProbeResult | MissedProbe>();
  /** The step that is awaited. */
  #stage: "connection" | "head" | "body" = "connection";
  readonly #connection = new ProbeConnection();
  readonly #endDial = new AbortController();
  #cancelled: BadProbe | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(endpoint: Endpoint, check: HealthCheck) {
    this.#endpoint = endpoint;
    this.#dialled = probedEndpoint(endpoint, check);
    this.#check = check;
  }

  async result(checkTlsFirst: boolean): Promise<ProbeResult | MissedProbe> {
    this.#run(checkTlsFirst).then((found) => this.#result.resolve(this.#cancelled ?? found));
    try {
      return await this.#result.promise;
    } finally {
      clearTimeout(this.#lingering);
    }
  }

  /** Ends the probe with `verdict`; pending reads and dials fail. */
  cancel(verdict: BadProbe): void {
    if (this.#cancelled !== undefined) return;
    this.#cancelled = verdict;
    this.#connection.abort(new TransportFailure("dropped", BROKEN_OFF));
    // The runtime leaks a socket that connects just when its dial is aborted. One that connects soon is closed by
    // #dial.
    this.#lingering = startTimer(() => {
      this.#endDial.abort();
      this.#result.resolve(verdict);
    }, LINGER_MS);
  }

  /** The result after a timeout: the step that did not finish. */
  lateness(): BadProbe {
    const late = `within ${this.#check.timeout} ms`;
    if (this.#stage === "connection") return bad(`no connection to ${name(this.#dialled)} ${late}`, true);
    if (this.#stage === "body") return bad(`the body of the response to ${this.#name} did not end ${late}`);
    return this.#connection.lent?.responseBegun
      ? bad(`the head of the response to ${this.#name} did not end ${late}`)
      : bad(`${this.#name} got no response ${late}`);
  }

  async #run(checkTlsFirst: boolean): Promise<ProbeResult | MissedProbe> {
    const startMs = performance.now();
    try {
      const fault = await this.#fault(checkTlsFirst);
      return fault === undefined ? { healthy: true, tookMs: performance.now() - startMs } : bad(fault);
    } catch (error) {
      const reason = this.#reasonOf(error);
      return error instanceof TransportFailure && error.owner === "proxy"
        ? { healthy: undefined, reason }
        : bad(reason);
    } finally {
      this.#connection.close();
    }
  }

  get #name(): string {
    return probeName(this.#endpoint, this.#check);
  }

  async #fault(checkTlsFirst: boolean): Promise<string | undefined> {
    const { kind, method, bodyPattern } = this.#check;
    const { tls } = this.#dialled;
    if (checkTlsFirst && tls !== undefined) {
      (await this.#dial({ ...this.#dialled, tls: { ...tls, insecureSkipVerify: true } })).close();
    }
    const socket = await this.#dial(this.#dialled);
    if (kind === "tcp") {
      socket.close();
      return undefined;
    }
    const connection = await this.#connection.open(socket, this.#dialled);
    if (kind === "grpc") return await this.#grpcFault(connection);
    const response = new ProbeResponse(method);
    connection.begin(response);
    this.#stage = "head";
    connection.ask(probeHead(this.#endpoint, this.#check));
    const { status } = await response.head;
    const fault = statusFault(status, this.#check);
    if (fault !== undefined) return `${this.#name} ${fault}`;
    if (bodyPattern === undefined) return undefined;
    this.#stage = "body";
    const missing = bodyPattern.faultOf(await readText(connection));
    return missing === undefined ? undefined : `${this.#name} got ${status}, but ${missing}`;
  }

  async #grpcFault(connection: LentConnection): Promise<string | undefined> {
    const response = new ProbeResponse("POST", true);
    const { service = "" } = this.#check;
    connection.begin(response);
    this.#stage = "head";
    connection.ask(grpcCheckHead(this.#endpoint, this.#check), grpcCheckMessage(service), "given");
    connection.requestComplete();
    const { status, headers } = await response.head;
    this.#stage = "body";
    const { bytes: body, trailers } = await new ProbeBody(connection.body).ended;
    const fault = grpcFault({ status, headers, body, trailers }, service);
    return fault === undefined ? undefined : `${this.#name} ${fault}`;
  }

  async #dial(endpoint: Endpoint): Promise<Socket> {
    const { proxyProtocol } = endpoint;
    const preamble = proxyProtocol === undefined ? undefined : proxyHeader(proxyProtocol, undefined);
    const socket = await dial(endpoint, this.#check.timeout + 2 * LINGER_MS, {
      signal: this.#endDial.signal,
      preamble,
    });
    if (this.#cancelled === undefined) return socket;
    socket.close();
    throw new Error(BROKEN_OFF);
  }

  #reasonOf(error: unknown): string {
    if (!(error instanceof Error)) return String(error);
    if (!(error instanceof TransportFailure)) return error.message;
    const message = error.message[0].toLowerCase() + error.message.slice(1);
    if (this.#stage === "connection") return message;
    const cause = error.cause instanceof Error ? ` (${error.cause.message})` : "";
    return `${this.#name} failed: ${message}${cause}`;
  }
}

const BROKEN_OFF = "the probe was broken off";
const LINGER_MS = 250;

/** Most bytes of a body that are read. */
const BODY_LIMIT_BYTES = 64 * 1024;

/** The response to a probe. */
class ProbeResponse implements ConnectionUser {
  readonly method: string;
  readonly acceptsTrailers: boolean;
  readonly sendsBody: boolean;
  readonly #head = Promise.withResolvers<ResponseHead>();

  /**
   * @param method The request's.
   * @param call Whether it is a call of gRPC.
   */
  constructor(method: string, call = false) {
    this.method = method;
    this.acceptsTrailers = this.sendsBody = call;
  }

  /** Its head. Rejects when there is none. */
  get head(): Promise<ResponseHead> {
    return this.#head.promise;
  }

  onHead(head: ResponseHead): void {
    this.#head.resolve(head);
  }

  onFailed(failure: unknown): void {
    this.#head.reject(failure);
  }

  onTick(): void {}
  onInterim(): void {}
  onDrained(): void {}
}

function startTimer(then: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(then, ms);
  Deno.unrefTimer(timer as unknown as number);
  return timer;
}

function bad(reason: string, unconnected = false): BadProbe {
  return { healthy: false, reason, unconnected };
}

// Reads up to the limit. Throws when the body breaks off.
async function readText(connection: LentConnection): Promise<string> {
  const whole = connection.wholeBody();
  if (whole === null) return "";
  if (whole !== undefined) return new TextDecoder().decode(whole.subarray(0, BODY_LIMIT_BYTES));
  const reader = new BodyReader(connection.body);
  const decoder = new TextDecoder();
  let text = "";
  for (let room = BODY_LIMIT_BYTES; room > 0;) {
    const piece = await reader.read();
    if (piece === undefined) break;
    const kept = piece.bytes.subarray(0, room);
    text += decoder.decode(kept, { stream: true });
    room -= kept.length;
  }
  return text;
}
