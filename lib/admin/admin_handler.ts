/**
 * Responds to requests to the management listener: checks the origin, then the key, then calls the endpoint.
 *
 * @module
 */

import type { Log } from "../log/log.ts";
import { AdminRefusal, problem } from "./admin_response.ts";
import type { ApiKey } from "./api_key.ts";
import { DASHBOARD_HEADERS, type DashboardAsset, dashboardAssets } from "./dashboard/assets.ts";
import type { EndpointTable } from "./endpoint.ts";
import { guard } from "./request_guard.ts";
import { requestText } from "./request_text.ts";

/** Options of {@linkcode AdminHandler}. */
export interface AdminHandlerOptions {
  readonly endpoints: EndpointTable;
  /** The API key; undefined when none is needed. */
  readonly key: ApiKey | undefined;
  /** Host names of the listener, in lower case. */
  readonly names: ReadonlySet<string>;
  /** Gets internal errors and wrong keys. */
  readonly log: Log | undefined;
}

/** Wrong keys are logged at most once in this time, so that a client that tries many does not fill the log. */
const LOG_INTERVAL_MS = 1000;

/** Responds to requests. Until `open` is called, all are refused. */
export class AdminHandler {
  readonly #options: AdminHandlerOptions;
  #open = false;
  #loggedMs = -Infinity;

  constructor(options: AdminHandlerOptions) {
    this.#options = options;
  }

  open(): void {
    this.#open = true;
  }

  /** Never rejects. */
  async respond(request: Request, peer?: Deno.Addr): Promise<Response> {
    try {
      const response = await this.#respond(request, peer);
      if (request.method !== "HEAD") return response;
      await response.body?.cancel();
      return new Response(null, response);
    } catch (error) {
      if (error instanceof AdminRefusal) return problem(error.status, error.message, error.extras);
      const cause = error instanceof Error ? error.stack ?? error.message : String(error);
      this.#options.log?.log("error", "The management API failed", { path: request.url, cause });
      return problem(500, "This should not have happened; the log has the cause");
    }
  }

  async #respond(request: Request, peer: Deno.Addr | undefined): Promise<Response> {
    const { endpoints, key, names } = this.#options;
    if (!this.#open) throw new AdminRefusal(503, "The management API is not open");
    const refusal = guard(request, names);
    if (refusal !== undefined) throw new AdminRefusal(refusal.status, refusal.detail);
    const path = pathOf(request.url);
    const asset = dashboardAssets().get(path);
    if (asset !== undefined) return assetResponse(request, asset);
    const opened = key === undefined || key.opens(request.headers);
    // Before the path is checked, so that a client without the key does not learn which paths exist.
    if (!opened && !this.#isOpen(path)) throw this.#locked(request, peer);
    const { endpoint, id } = endpoints.find(request.method, path);
    const text = endpoint.body === undefined
      ? ""
      : await requestText(request, endpoint.body.type, endpoint.body.optional);
    return await endpoint.handle({ request, id, text, force: isForced(request.url) });
  }

  #isOpen(path: string): boolean {
    return this.#options.endpoints.endpoints.some((endpoint) => endpoint.open === true && endpoint.path === path);
  }

  #locked({ headers }: Request, peer: Deno.Addr | undefined): AdminRefusal {
    const nowMs = performance.now();
    const given = headers.has("authorization") || headers.has("x-api-key");
    if (given && nowMs - this.#loggedMs > LOG_INTERVAL_MS) {
      this.#loggedMs = nowMs;
      const client = peer !== undefined && "hostname" in peer ? peer.hostname : "";
      this.#options.log?.log("warn", "A wrong key was sent to the management API", { client });
    }
    return new AdminRefusal(401, `The API key is ${given ? "wrong" : "missing"}`, {
      headers: { "www-authenticate": 'Bearer realm="bws"' },
    });
  }
}

function pathOf(url: string): string {
  const start = url.indexOf("/", "http://".length);
  const query = url.indexOf("?", start);
  return url.slice(start, query < 0 ? undefined : query);
}

function isForced(url: string): boolean {
  const query = url.indexOf("?");
  return query >= 0 && new URLSearchParams(url.slice(query)).get("force") === "true";
}

function assetResponse({ method, headers }: Request, { body, contentType, etag }: DashboardAsset): Response {
  if (method !== "GET" && method !== "HEAD") {
    throw new AdminRefusal(405, `${method} is not possible here, only GET, HEAD`, { headers: { allow: "GET, HEAD" } });
  }
  const known = (headers.get("if-none-match") ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(etag)) return new Response(null, { status: 304, headers: { ...DASHBOARD_HEADERS, etag } });
  return new Response(body, { headers: { ...DASHBOARD_HEADERS, "content-type": contentType, etag } });
}
