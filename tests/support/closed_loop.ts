/**
 * Load in a closed loop: so many connections, each of which asks again once it has its answer.
 *
 * @module
 */

import { LoadClient } from "./load_client.ts";

/** What is asked. */
export interface ClosedLoopOptions {
  /** Port of loopback. */
  readonly port: number;
  /** Connections. */
  readonly clients: number;
  /** Requests in all; endless without it. */
  readonly requests?: number;
  /** Path of every request. */
  readonly path?: string;
  /** More header lines, each of which ends in CRLF. */
  readonly lines?: string;
}

/** A loop that runs from its making until it has asked enough, or is stopped. */
export class ClosedLoop {
  /** How often each status came; 0 stands for no answer. */
  readonly statuses = new Map<number, number>();
  /** How often each upstream answered with 200. */
  readonly upstreams = new Map<string, number>();
  /** Why there were no answers. */
  readonly failures: string[] = [];
  /** Settles when all have their last answers. */
  readonly done: Promise<void>;
  #left: number;
  #answered = 0;

  /** Begins to ask. */
  constructor({ port, clients, requests = Infinity, path = "/", lines = "" }: ClosedLoopOptions) {
    this.#left = requests;
    const bytes = new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: site.test\r\n${lines}\r\n`);
    this.done = Promise.all(Array.from({ length: clients }, () => this.#loop(new LoadClient(port), bytes)))
      .then(() => {});
  }

  /** Answers and failures so far. */
  get answered(): number {
    return this.#answered;
  }

  /** Answers that were not 200, and failures. */
  get failed(): number {
    return this.#answered - (this.statuses.get(200) ?? 0);
  }

  /** Asks no more, and waits for the last answers. */
  stop(): Promise<void> {
    this.#left = 0;
    return this.done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #loop(client: LoadClient, bytes: Uint8Array): Promise<void> {
    while (this.#left-- > 0) {
      const { status, upstream, failure } = await client.ask(bytes);
      this.#answered++;
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
      if (status === 200) this.upstreams.set(upstream, (this.upstreams.get(upstream) ?? 0) + 1);
      if (status === 0) this.failures.push(failure);
    }
    client.close();
  }
}

/** Asks so often over so many connections, and gives what came of it. */
export async function askOften(options: ClosedLoopOptions & { readonly requests: number }): Promise<ClosedLoop> {
  const loop = new ClosedLoop(options);
  await loop.done;
  return loop;
}
