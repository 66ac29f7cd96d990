/**
 * The server of the demo's pages: the pages, a stream of events, and the switches for upstreams and traffic.
 *
 * @module
 */

import { page } from "./page.ts";
import { demoSocketPage } from "./socket_page.ts";
import type { SampleUpstream } from "./sample_upstream.ts";
import { type Outcome, RATES, type Traffic } from "./traffic.ts";

/** What the pages show and control. */
export interface DemoServerOptions {
  /** The upstreams, in the order of the page. */
  readonly upstreams: readonly SampleUpstream[];
  /** The demo's traffic. */
  readonly traffic: Traffic;
  /** Address of the dashboard. */
  readonly dashboardUrl: string;
  /** Attempts in flight, by policy and upstream. */
  readonly inFlight: () => number[][];
}

// [policy, upstream or -1, status, elapsed ms, end ms, whether of a visitor]: an array, because there are many.
type Entry = [policy: number, upstream: number, status: number, elapsedMs: number, endMs: number, foreign: 0 | 1];

/** The server of the pages. Owned by the demo. */
export class DemoServer {
  readonly #options: DemoServerOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #watchers = new Set<ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #entries: Entry[] = [];

  /** Opens a loopback port. */
  constructor(options: DemoServerOptions) {
    this.#options = options;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#respond(request),
    );
    this.#timer = setInterval(() => this.#broadcast(), BROADCAST_MS);
  }

  /** Its address. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Shows how a request ended. */
  show(outcome: Outcome, foreign: boolean): void {
    if (this.#watchers.size === 0) return;
    const { policy, upstream, status, elapsedMs } = outcome;
    const index = this.#options.upstreams.findIndex(({ sample }) => sample.name === upstream);
    this.#entries.push([policy, index, status, round(elapsedMs), round(performance.now()), foreign ? 1 : 0]);
  }

  /** Ends all streams, then the server. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers.clear();
    await this.#server.shutdown();
  }

  async #respond(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST") return await this.#switch(request, pathname);
    if (pathname === "/events") return new Response(this.#watch(), { headers: EVENT_HEADERS });
    if (pathname === "/events/sockets") return new Response(this.#watch(), { headers: EVENT_HEADERS });
    if (pathname === "/") return new Response(page(this.#options.dashboardUrl), { headers: PAGE_HEADERS });
    if (pathname === "/sockets") {
      return new Response(demoSocketPage(this.#options.dashboardUrl), { headers: PAGE_HEADERS });
    }
    return new Response("Not here\n", { status: 404 });
  }

  async #switch(request: Request, path: string): Promise<Response> {
    // Cross-site request forgery: a page of another site in the same browser must not control the demo.
    if ((request.headers.get("sec-fetch-site") ?? "same-origin") !== "same-origin") {
      return new Response(null, { status: 403 });
    }
    const [, control, what = "", action] = path.split("/");
    if (control === "rate" && RATES.includes(Number(what))) {
      this.#options.traffic.rate = Number(what);
    } else if (control === "upstreams") {
      const upstream = this.#options.upstreams.find(({ sample }) => sample.name === what);
      if (upstream === undefined || (action !== "start" && action !== "stop")) {
        return new Response(null, { status: 404 });
      }
      // Not awaited: responses in flight may end later, and the page shows the new state at once.
      if (action === "start") await upstream.start();
      else upstream.stop();
    } else {
      return new Response(null, { status: 404 });
    }
    this.#broadcast();
    return new Response(null, { status: 204 });
  }

  #watch(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let watcher: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        watcher = controller;
        this.#watchers.add(controller);
      },
      cancel: () => {
        this.#watchers.delete(watcher);
      },
    });
  }

  #broadcast(): void {
    if (this.#watchers.size === 0) return;
    const event = {
      nowMs: round(performance.now()),
      entries: this.#entries,
      serving: this.#options.upstreams.map((upstream) => upstream.serving),
      sockets: this.#options.upstreams.map((upstream) => upstream.openSockets),
      inFlight: this.#options.inFlight(),
      rate: this.#options.traffic.rate,
    };
    this.#entries = [];
    const bytes = new TextEncoder().encode(`data: ${JSON.stringify(event)}\n\n`);
    for (const watcher of this.#watchers) watcher.enqueue(bytes);
  }
}

const BROADCAST_MS = 100;
const EVENT_HEADERS = { "content-type": "text/event-stream", "cache-control": "no-store" };
const PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:",
};

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
