/**
 * One load, from its connections to the percentiles of its latencies.
 *
 * @module
 */

import type { BlockingLoop } from "./blocking_loop.ts";
import { FrameReader } from "./frame_reader.ts";
import { closedPace, type Pace, randomPace } from "./pace.ts";
import { type ConnectionOwner, type ConnectionPlan, PacedConnection } from "./paced_connection.ts";
import { requestBytes, type RequestPlan } from "./request_plan.ts";
import { HttpReader, ResponseShape } from "./response_reader.ts";
import { frameLength, LETTER, maskedFrame, socketHandshake } from "./socket_frames.ts";

/** What is to be done. */
export interface LoadPlan {
  port: number;
  /** Connections that requests are spread over; one that finds none free waits. */
  connections: number;
  /** Requests a second, on average; undefined for as many as are answered. */
  rate?: number;
  /** Length of what counts. */
  seconds: number;
  /** Length of what comes before, which does not. */
  leadInSeconds: number;
  /** What is asked; or the length of WebSocket messages. */
  plan: RequestPlan | { messageBytes: number };
}

/** What came of it. */
export interface LoadOutcome {
  /** Requests that were answered as expected, of those that count. */
  answered: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  /** Share of the requests that were sent more than a millisecond late, though a connection was free. */
  lateShare: number;
  /** Share of the requests that waited for a connection when the time was over. */
  unsentShare: number;
  /** What went wrong, or not as it should, and how often. */
  errors: Record<string, number>;
}

/** How long the first response of each connection may take, and the last ones. */
const OPEN_MS = 10_000;
const DRAIN_MS = 5000;
/** The shortest wait: what is due within it is sent together, which costs less than to wake for each. */
const TICK_US = 100;
const LATE_MS = 1;

/** One load. */
export class LoadRun implements ConnectionOwner {
  readonly #loop: BlockingLoop;
  readonly #plan: LoadPlan;
  readonly #connections: PacedConnection[];
  /** Free connections, the longest free first, as a ring of their numbers. */
  readonly #free: Int32Array;
  #freeFirst = 0;
  #freeCount = 0;
  /** When the request of each connection was due; before {@linkcode #countsMs} where it does not count. */
  readonly #dueMs: Float64Array;
  readonly #latencies: Float64Array;
  #answered = 0;
  #sent = 0;
  #late = 0;
  #countsMs = Infinity;
  readonly #errors: Record<string, number> = {};

  constructor(loop: BlockingLoop, plan: LoadPlan) {
    this.#loop = loop;
    this.#plan = plan;
    const { connections, rate = 0, seconds } = plan;
    const connectionPlan = connectionPlanOf(plan);
    this.#connections = Array.from(
      { length: connections },
      (_, n) => new PacedConnection(loop, connectionPlan, this, n),
    );
    this.#free = new Int32Array(connections);
    this.#dueMs = new Float64Array(connections);
    // Random gaps give a few more than the average.
    this.#latencies = new Float64Array(Math.ceil(1.2 * rate * seconds) + 1000);
  }

  /** Does it. */
  run(): LoadOutcome {
    const { nowMs } = this.#loop;
    const { rate, seconds, leadInSeconds } = this.#plan;
    this.#open();
    const startMs = nowMs();
    this.#countsMs = startMs + leadInSeconds * 1000;
    const endMs = this.#countsMs + seconds * 1000;
    const pace = rate === undefined ? closedPace(startMs, endMs, nowMs) : randomPace(rate, startMs, endMs);
    while (nowMs() < endMs) this.#step(pace, endMs);
    const unsent = this.#drain(pace, endMs);
    for (const connection of this.#connections) connection.close();
    const counted = Math.max(1, this.#sent);
    return {
      answered: this.#answered,
      ...percentiles(this.#latencies.subarray(0, Math.min(this.#answered, this.#latencies.length))),
      lateShare: this.#late / counted,
      unsentShare: unsent / counted,
      errors: this.#errors,
    };
  }

  responded(connection: PacedConnection): void {
    const dueMs = this.#dueMs[connection.index];
    if (dueMs >= this.#countsMs) {
      const latencies = this.#latencies;
      if (this.#answered < latencies.length) latencies[this.#answered] = this.#loop.nowMs() - dueMs;
      this.#answered++;
    }
    this.#release(connection.index);
  }

  failed(connection: PacedConnection, cause: string): void {
    this.#count(cause);
    this.#release(connection.index);
  }

  closedUnasked(): void {
    this.#count("connection closed after an answer");
  }

  /** Lets each connection have one response, so that what is measured is requests, not dialling. */
  #open(): void {
    for (const connection of this.#connections) connection.send();
    const endMs = this.#loop.nowMs() + OPEN_MS;
    while (this.#freeCount < this.#connections.length && this.#loop.nowMs() < endMs) this.#loop.turn(100_000);
  }

  /** Waits for what comes or is due, and sends what is due. */
  #step(pace: Pace, untilMs: number): void {
    const { nowMs } = this.#loop;
    const waited = this.#freeCount > 0;
    const nextMs = waited ? Math.min(pace.dueMs, untilMs) : untilMs;
    this.#loop.turn(Math.max(TICK_US, (nextMs - nowMs()) * 1000));
    for (let now = nowMs(); this.#freeCount > 0 && pace.dueMs <= now; pace.next()) {
      const { dueMs } = pace;
      if (dueMs >= this.#countsMs) {
        this.#sent++;
        if (waited && now - dueMs > LATE_MS) this.#late++;
      }
      const index = this.#take();
      this.#dueMs[index] = dueMs;
      this.#connections[index].send();
      now = nowMs();
    }
  }

  /** Waits for the last responses. Returns how many requests were due and not sent before `endMs`. */
  #drain(pace: Pace, endMs: number): number {
    const sent = this.#sent;
    const lastMs = endMs + DRAIN_MS;
    const length = this.#connections.length;
    while ((this.#freeCount < length || pace.dueMs <= endMs) && this.#loop.nowMs() < lastMs) this.#step(pace, lastMs);
    const unanswered = length - this.#freeCount;
    if (unanswered > 0) this.#errors["not answered in time"] = unanswered;
    return this.#sent - sent;
  }

  #take(): number {
    const index = this.#free[this.#freeFirst];
    this.#freeFirst = (this.#freeFirst + 1) % this.#free.length;
    this.#freeCount--;
    return index;
  }

  #release(index: number): void {
    this.#free[(this.#freeFirst + this.#freeCount++) % this.#free.length] = index;
  }

  #count(cause: string): void {
    this.#errors[cause] = (this.#errors[cause] ?? 0) + 1;
  }
}

function connectionPlanOf({ port, plan }: LoadPlan): ConnectionPlan {
  const host = `127.0.0.1:${port}`;
  if ("method" in plan) {
    const shape = new ResponseShape(plan);
    const requests = plan.paths.map((path) => requestBytes(plan, host, path));
    return { port, requests, newConnection: plan.newConnection, reader: () => new HttpReader(shape) };
  }
  const upgrade = new ResponseShape({ status: 101, answerBytes: 0 });
  return {
    port,
    requests: [maskedFrame(plan.messageBytes)],
    newConnection: false,
    handshake: socketHandshake(host),
    handshakeReader: () => new HttpReader(upgrade),
    reader: () => new FrameReader(frameLength(plan.messageBytes), LETTER),
  };
}

function percentiles(latencies: Float64Array): Pick<LoadOutcome, "p50Ms" | "p99Ms" | "p999Ms"> {
  latencies.sort();
  const at = (share: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) };
}
