/**
 * Load at a steady pace that counts every answer. Requests are sent when they are due, whether or not those before them
 * have their answers, and their time counts from when they were due.
 *
 * @module
 */

import { until } from "./condition.ts";
import { LoadClient } from "./load_client.ts";

/** How much is asked. */
export interface SteadyLoadOptions {
  /** GETs a second. */
  readonly gets: number;
  /** POSTs a second, each with an `x-id` of its own. */
  readonly posts: number;
}

/** How a request went. */
export interface Outcome {
  readonly method: "GET" | "POST";
  /** Unlike all others. */
  readonly id: string;
  /** When it was due, in milliseconds of `performance.now()`. */
  readonly dueMs: number;
  /** From then to its answer. */
  readonly tookMs: number;
  /** Its status; 0 without an answer. */
  readonly status: number;
  /** Name of the upstream that answered, or empty. */
  readonly upstream: string;
  /** Why there was no answer, or empty. */
  readonly failure: string;
}

const TICK_MS = 4;

/** Load that runs from its making until it is stopped. */
export class SteadyLoad {
  /** Requests that have their answers, or failed, in the order of that. */
  readonly outcomes: Outcome[] = [];
  readonly #port: number;
  readonly #options: SteadyLoadOptions;
  readonly #free: LoadClient[] = [];
  readonly #startMs = performance.now();
  readonly #timer: ReturnType<typeof setInterval>;
  #sent = { GET: 0, POST: 0 };
  #open = 0;

  /** Begins to ask a port of loopback. */
  constructor(port: number, options: SteadyLoadOptions) {
    this.#port = port;
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Waits until so many more requests have been answered, or failed. */
  async more(count: number, timeoutMs = 20_000): Promise<void> {
    const goal = this.outcomes.length + count;
    await until(`${count} more answers`, () => this.outcomes.length >= goal, timeoutMs);
  }

  /** Waits until all requests that have been sent by now are answered, or failed. */
  async settled(timeoutMs = 20_000): Promise<void> {
    const goal = this.outcomes.length + this.#open;
    const dueMs = performance.now();
    const missing = () => this.outcomes.filter((outcome) => outcome.dueMs <= dueMs).length < goal;
    await until("all answers to what was sent", () => !missing(), timeoutMs);
  }

  /** Asks no more, and waits for the last answers. */
  async stop(timeoutMs = 20_000): Promise<void> {
    clearInterval(this.#timer);
    try {
      await until("the last answers", () => this.#open === 0, timeoutMs);
    } finally {
      for (const client of this.#free) client.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #tick(): void {
    const elapsedMs = performance.now() - this.#startMs;
    this.#send("GET", this.#options.gets, elapsedMs);
    this.#send("POST", this.#options.posts, elapsedMs);
  }

  #send(method: "GET" | "POST", rate: number, elapsedMs: number): void {
    for (const due = Math.floor(elapsedMs * rate / 1000); this.#sent[method] < due;) {
      const turn = ++this.#sent[method];
      this.#ask(method, `${method}-${turn}`, this.#startMs + turn * 1000 / rate);
    }
  }

  async #ask(method: "GET" | "POST", id: string, dueMs: number): Promise<void> {
    this.#open++;
    const client = this.#free.pop() ?? new LoadClient(this.#port);
    const answer = await client.ask(encoder.encode(requestText(method, id)));
    this.#free.push(client);
    this.#open--;
    this.outcomes.push({ method, id, dueMs, tookMs: performance.now() - dueMs, ...answer });
  }
}

const encoder = new TextEncoder();

function requestText(method: "GET" | "POST", id: string): string {
  const lines = `${method} /${id} HTTP/1.1\r\nHost: site.test\r\nx-id: ${id}\r\n`;
  return method === "GET" ? `${lines}\r\n` : `${lines}Content-Length: ${id.length}\r\n\r\n${id}`;
}

/** Those of `outcomes` that failed. */
export function failed(outcomes: readonly Outcome[], method: "GET" | "POST"): Outcome[] {
  return outcomes.filter((outcome) => outcome.method === method && (outcome.status < 200 || outcome.status > 299));
}

/**
 * What is wrong with how POSTs were done: those that were done twice, and those with a good answer that were not done.
 *
 * @param done How often each upstream did the POST of each id.
 */
export function misdone(outcomes: readonly Outcome[], done: readonly ReadonlyMap<string, number>[]): string[] {
  const wrong: string[] = [];
  for (const { method, id, status } of outcomes) {
    if (method !== "POST") continue;
    const times = done.reduce((sum, each) => sum + (each.get(id) ?? 0), 0);
    if (times > 1 || (times === 0 && status >= 200 && status < 300)) {
      wrong.push(`${id}: ${status}, done ${times} times`);
    }
  }
  return wrong;
}
