/**
 * A sample upstream: a server that responds slowly with its name, accepts WebSockets, and can be stopped and restarted
 * on the same port.
 *
 * @module
 */

import { SampleSockets } from "./sample_sockets.ts";
import type { Sample } from "./demo_config.ts";

/** Marks requests of the demo's own traffic, which is counted where it starts. */
export const TRAFFIC_HEADER = "x-demo-traffic";

/** Called for each request that is not the demo's own. */
export type OnVisit = (visit: { path: string; elapsedMs: number }) => void;

/** One sample upstream. Owned by the demo. */
export class SampleUpstream {
  /** Its name, weight and response time. */
  readonly sample: Sample;
  readonly #onVisit: OnVisit;
  readonly #sockets: SampleSockets;
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #port = 0;
  #stopping: Promise<void> = Promise.resolve();

  /** Makes an upstream that does not listen yet. */
  constructor(sample: Sample, onVisit: OnVisit) {
    this.sample = sample;
    this.#onVisit = onVisit;
    this.#sockets = new SampleSockets(sample.name);
  }

  /** Whether it listens. */
  get serving(): boolean {
    return this.#server !== undefined;
  }

  /** WebSockets that are open. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Its address, once it has listened. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens; later starts use the port of the first. */
  async start(): Promise<void> {
    await this.#stopping;
    if (this.#server !== undefined) return;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: this.#port, onListen: () => {} },
      (request) => this.#respond(request),
    );
    this.#port = this.#server.addr.port;
  }

  /** Accepts no more connections; responses in flight still end, and the runtime closes WebSockets with 1001. */
  stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) this.#stopping = server.shutdown();
    return this.#stopping;
  }

  async #respond(request: Request): Promise<Response> {
    if (request.headers.get("upgrade")?.toLowerCase() === "websocket") return this.#sockets.accept(request);
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return new Response(null, { status: 204 });
    const startMs = performance.now();
    const { name, latencyMs } = this.sample;
    await new Promise((resolve) => setTimeout(resolve, latencyMs * (0.75 + Math.random() / 2)));
    const elapsedMs = performance.now() - startMs;
    if (!request.headers.has(TRAFFIC_HEADER)) this.#onVisit({ path: pathname, elapsedMs });
    const body = { upstream: name, path: pathname, took_ms: Math.round(elapsedMs) };
    const headers = { "content-type": "application/json", "x-upstream": name, "cache-control": "no-store" };
    // The line end is for curl, which prints none after the response.
    return new Response(JSON.stringify(body) + "\n", { headers });
  }
}
