/**
 * One probe of one upstream, over a connection of its own.
 *
 * @module
 */

import { CoarseClock } from "../../state/coarse_clock.ts";
import { Connection, type ConnectionLimits, type ConnectionUser } from "../connection/connection.ts";
import { dial, name } from "../../sockets/dial.ts";
import { closeQuietly, type Wire } from "../../sockets/wire.ts";
import type { Endpoint } from "../../sockets/endpoint.ts";
import { TransportFailure } from "../../failure/failure.ts";
import type { HealthCheck } from "./health_check.ts";
import { StallTolerantTimer } from "../../state/stall_tolerant_timer.ts";
import { probedEndpoint, probeHead, probeName, statusFault } from "./probe_message.ts";

/** What a probe found. */
export type ProbeResult = GoodProbe | BadProbe;

/** A probe that could not be made, since this machine lacks something: it says nothing of the upstream. */
export interface MissedProbe {
  readonly healthy: undefined;
  /** What is lacking, and what to do, for operators. */
  readonly reason: string;
}

/** The upstream is as it should be. */
export interface GoodProbe {
  readonly healthy: true;
  /** How long all of the probe took, in milliseconds. */
  readonly tookMs: number;
}

/** The upstream is not. */
export interface BadProbe {
  readonly healthy: false;
  /** Why, for operators; may quote what the upstream sent. */
  readonly reason: string;
  /** Whether no connection came about in time, as with one that accepts and then says nothing of TLS. */
  readonly unconnected: boolean;
}

/** How a probe is made. */
export interface ProbeOptions {
  /** Breaks the probe off; what it then gives means nothing. */
  readonly signal?: AbortSignal;
  /**
   * For an upstream whose last probe got no connection in time: looks first, in a way that costs a second handshake,
   * whether it speaks TLS at all. A handshake that the runtime's own TLS is made to give up keeps its socket until the
   * other side closes, so that each probe of an upstream that hangs would leave one behind.
   *
   * @default {false}
   */
  readonly wary?: boolean;
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
  const { signal, wary = false } = options;
  if (signal?.aborted) return bad(BROKEN_OFF);
  const run = new ProbeRun(endpoint, check);
  const timer = new StallTolerantTimer(() => run.giveUp(run.lateness()), check.timeoutMs);
  const leave = () => run.giveUp(bad(BROKEN_OFF));
  signal?.addEventListener("abort", leave, { once: true });
  try {
    return await run.result(wary);
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
  /** What is being waited for. */
  #stage: "connection" | "head" | "body" = "connection";
  #connection: Connection | undefined;
  readonly #endDial = new AbortController();
  #givenUp: BadProbe | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;

  constructor(endpoint: Endpoint, check: HealthCheck) {
    this.#endpoint = endpoint;
    this.#dialled = probedEndpoint(endpoint, check);
    this.#check = check;
  }

  async result(wary: boolean): Promise<ProbeResult | MissedProbe> {
    this.#run(wary).then((found) => this.#result.resolve(this.#givenUp ?? found));
    try {
      return await this.#result.promise;
    } finally {
      clearTimeout(this.#lingering);
    }
  }

  /** Ends it; what waits for the upstream fails. */
  giveUp(verdict: BadProbe): void {
    if (this.#givenUp !== undefined) return;
    this.#givenUp = verdict;
    this.#connection?.close();
    // The runtime loses a socket that connects just when its dialling is aborted. What connects soon is closed by #dial.
    this.#lingering = startTimer(() => {
      this.#endDial.abort();
      this.#result.resolve(verdict);
    }, LINGER_MS);
  }

  /** What did not happen in time. */
  lateness(): BadProbe {
    const { timeoutMs } = this.#check;
    const late = `within ${timeoutMs} ms`;
    if (this.#stage === "connection") return bad(`no connection to ${name(this.#dialled)} ${late}`, true);
    if (this.#stage === "body") return bad(`the body of the answer to ${this.#name} did not end ${late}`);
    return this.#connection?.responseBegun
      ? bad(`the head of the answer to ${this.#name} did not end ${late}`)
      : bad(`${this.#name} was not answered ${late}`);
  }

  async #run(wary: boolean): Promise<ProbeResult | MissedProbe> {
    const startMs = performance.now();
    try {
      const fault = await this.#fault(wary);
      return fault === undefined ? { healthy: true, tookMs: performance.now() - startMs } : bad(fault);
    } catch (error) {
      const reason = this.#reasonOf(error);
      return error instanceof TransportFailure && error.owner === "proxy"
        ? { healthy: undefined, reason }
        : bad(reason);
    } finally {
      this.#connection?.close();
    }
  }

  get #name(): string {
    return probeName(this.#endpoint, this.#check);
  }

  async #fault(wary: boolean): Promise<string | undefined> {
    const { kind, method, expectBody } = this.#check;
    const { tls } = this.#dialled;
    if (wary && tls !== undefined) {
      closeQuietly(await this.#dial({ ...this.#dialled, tls: { ...tls, insecureSkipVerify: true } }));
    }
    const wire = await this.#dial(this.#dialled);
    if (kind === "tcp") {
      closeQuietly(wire);
      return undefined;
    }
    const connection = this.#connection = new Connection(wire, CLOCK, LIMITS, () => {});
    connection.begin(USER);
    this.#stage = "head";
    await connection.sendHead(probeHead(this.#endpoint, this.#check));
    const { status } = await connection.readHead(method);
    const fault = statusFault(status, this.#check);
    if (fault !== undefined) return `${this.#name} ${fault}`;
    if (expectBody === undefined) return undefined;
    this.#stage = "body";
    const missing = expectBody.faultOf(await readText(connection));
    return missing === undefined ? undefined : `${this.#name} answered ${status}, but ${missing}`;
  }

  async #dial(endpoint: Endpoint): Promise<Wire> {
    const wire = await dial(endpoint, this.#check.timeoutMs + 2 * LINGER_MS, this.#endDial.signal);
    if (this.#givenUp === undefined) return wire;
    closeQuietly(wire);
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

/** Of a body; a probe has no use for more. */
const BODY_LIMIT_BYTES = 64 * 1024;

/** The probe's own timer bounds all of it, however little is silence: the connection needs no deadlines. */
const LIMITS: ConnectionLimits = {
  readTimeoutMs: Infinity,
  writeTimeoutMs: Infinity,
  clientTimeoutMs: Infinity,
  idleTimeoutMs: 0,
  maxHeadBytes: 64 * 1024,
};
const CLOCK = new CoarseClock(60_000);
const USER: ConnectionUser = { onTick: () => {}, onAborted: () => {} };

function startTimer(then: () => void, ms: number): ReturnType<typeof setTimeout> {
  const timer = setTimeout(then, ms);
  Deno.unrefTimer(timer as unknown as number);
  return timer;
}

function bad(reason: string, unconnected = false): BadProbe {
  return { healthy: false, reason, unconnected };
}

// Cut off at the bound. A body that breaks off before its end fails.
async function readText(connection: Connection): Promise<string> {
  const whole = connection.wholeBody();
  if (whole === null) return "";
  if (whole !== undefined) return new TextDecoder().decode(whole.subarray(0, BODY_LIMIT_BYTES));
  const decoder = new TextDecoder();
  let text = "";
  for (let room = BODY_LIMIT_BYTES; room > 0;) {
    const chunk = await connection.nextChunk();
    if (chunk === null) break;
    const kept = chunk.subarray(0, room);
    text += decoder.decode(kept, { stream: true });
    room -= kept.length;
  }
  return text;
}
