/**
 * The management listener of an imagined server: the dashboard's files, the stream of snapshots, and changes, which it
 * remembers.
 *
 * @module
 */

import { DASHBOARD_HEADERS, dashboardAssets } from "../../lib/admin/dashboard/assets.ts";
import type { Refusal, UpstreamChange } from "../../lib/admin/snapshot.ts";
import { FakeWorld } from "./fake_world.ts";

/** Options of {@linkcode FakeAdmin}. */
export interface FakeAdminOptions {
  /**
   * What it shows.
   *
   * @default {new FakeWorld()}
   */
  world?: FakeWorld;
  /**
   * Time between snapshots, in milliseconds; 0 sends them on `tick()` only.
   *
   * @default {0}
   */
  intervalMs?: number;
  /** The key that callers need. */
  apiKey?: string;
  /** Changes are refused with this sentence. */
  refusal?: string;
}

/** How long nothing is sent at the most, in milliseconds: half of what the page and `bws top` take for silence. */
const REPEAT_MS = 3000;

/** The listener. `await using` closes it. */
export class FakeAdmin {
  readonly world: FakeWorld;
  /** Changes that were asked for. */
  readonly changes: { id: string; change: UpstreamChange }[] = [];
  /** Paths that were asked for. */
  readonly paths: string[] = [];
  /** Whether those who want to watch are refused with 503. */
  away = false;
  readonly #options: FakeAdminOptions;
  readonly #watchers = new Set<ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  readonly #repeating: ReturnType<typeof setInterval>;
  #sentMs = 0;

  /** Opens a loopback port. */
  constructor(options: FakeAdminOptions = {}) {
    const { world = new FakeWorld(), intervalMs = 0 } = options;
    this.#options = options;
    this.world = world;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      (request) => this.#answer(request),
    );
    if (intervalMs > 0) this.#timer = setInterval(() => this.tick(), intervalMs);
    // Who watches takes a server for lost that is silent for as long as a test may take on a busy machine.
    this.#repeating = setInterval(() => performance.now() - this.#sentMs > REPEAT_MS && this.#send(), 500);
  }

  /** Its address, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** How many watch. */
  get watching(): number {
    return this.#watchers.size;
  }

  /** Lets a second pass, and tells. */
  tick(): void {
    this.world.pass(1000);
    this.#send();
  }

  /** Cuts those who watch. */
  cut(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers.clear();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#repeating);
    this.cut();
    await this.#server.shutdown();
  }

  #send(): void {
    this.#sentMs = performance.now();
    const bytes = event(this.world.snapshot());
    for (const watcher of this.#watchers) watcher.enqueue(bytes);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    this.paths.push(pathname);
    const asset = dashboardAssets().get(pathname);
    if (asset !== undefined) {
      const { contentType, body, etag } = asset;
      return new Response(body, { headers: { ...DASHBOARD_HEADERS, "content-type": contentType, etag } });
    }
    const { apiKey } = this.#options;
    if (apiKey !== undefined && request.headers.get("authorization") !== `Bearer ${apiKey}`) {
      return Response.json({ error: "The API key is missing or wrong" }, { status: 401 });
    }
    if (pathname === "/api/events") return this.away ? new Response(null, { status: 503 }) : this.#watch();
    const [, id] = /^\/api\/upstreams\/([^/]+)$/.exec(pathname) ?? [];
    if (request.method === "PATCH" && id !== undefined) {
      return await this.#change(id, request, search === "?force=true");
    }
    return Response.json({ error: "Not here" }, { status: 404 });
  }

  async #change(id: string, request: Request, force: boolean): Promise<Response> {
    const change: UpstreamChange = await request.json();
    if (!force && change.state !== undefined && change.state !== "active" && this.world.isLast(id)) {
      const refusal: Refusal = { type: "urn:bws:last-upstream", error: "It is the last upstream" };
      return Response.json(refusal, { status: 409 });
    }
    this.changes.push({ id, change });
    const { refusal } = this.#options;
    if (refusal !== undefined) return Response.json({ error: refusal }, { status: 409 });
    if (!this.world.change(id, change)) return Response.json({ error: "No such upstream" }, { status: 404 });
    this.tick();
    return new Response(null, { status: 204 });
  }

  #watch(): Response {
    let watcher: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        watcher = controller;
        controller.enqueue(event(this.world.snapshot(true)));
        this.#watchers.add(controller);
      },
      cancel: () => void this.#watchers.delete(watcher),
    });
    return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
  }
}

function event(data: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`event: snapshot\ndata: ${JSON.stringify(data)}\n\n`);
}
