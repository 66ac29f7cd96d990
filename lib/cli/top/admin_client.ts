/**
 * A client of the management API for `bws top`: reads snapshots and sends changes.
 *
 * @module
 */

import { readSnapshots } from "../../admin/dashboard/page/snapshot_stream.js";
import type { Refusal, Snapshot, UpstreamChange } from "../../admin/snapshot.ts";

/** Address and API key of a server. */
export interface AdminClientOptions {
  /** Address of the management listener. */
  readonly url: URL;
  /** API key; undefined where the server has none. */
  readonly apiKey?: string | undefined;
}

/** A client of the management API. */
export class AdminClient {
  /** Address of the management listener, without a slash at the end. */
  readonly address: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** Creates a client; it connects with the first request. */
  constructor({ url, apiKey }: AdminClientOptions) {
    this.address = url.href.replace(/\/$/, "");
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  }

  /**
   * Snapshots, one a second, until the server ends the stream.
   *
   * @throws {Error} Nothing responds, or something that is not BWS; the message has advice.
   */
  async *snapshots(signal: AbortSignal): AsyncGenerator<Snapshot, void, void> {
    const response = await this.#ask("api/events", { signal });
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok || response.body === null || !type.startsWith("text/event-stream")) {
      await response.body?.cancel();
      throw new Error(this.#faultOf(response.status));
    }
    yield* readSnapshots(response.body);
  }

  /**
   * Changes an upstream.
   *
   * @param force Whether the last upstream of a pool that takes requests may be changed, too.
   * @returns Why the change was refused, or undefined.
   */
  async change(id: string, change: UpstreamChange, force: boolean): Promise<Refusal | undefined> {
    try {
      const response = await this.#ask(`api/upstreams/${encodeURIComponent(id)}${force ? "?force=true" : ""}`, {
        method: "PATCH",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(change),
        signal: AbortSignal.timeout(CHANGE_TIMEOUT_MS),
      });
      const text = await response.text();
      if (response.ok) return undefined;
      return refusalOf(text) ?? { type: "about:blank", error: this.#faultOf(response.status) };
    } catch (error) {
      return { type: "about:blank", error: error instanceof Error ? error.message : String(error) };
    }
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const { signal, headers } = init;
    try {
      return await fetch(`${this.address}/${path}`, { ...init, headers: { ...this.#headers, ...headers } });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Error(
        `No server responds at ${this.address}: is it running, with enabled = true in [management] of its config?`,
        { cause: error },
      );
    }
  }

  #faultOf(status: number): string {
    if (status === 401) {
      return "authorization" in this.#headers
        ? `${this.address} does not take that API key`
        : `${this.address} wants an API key: give --key KEY or set BWS_API_KEY`;
    }
    return `${this.address} responds, but not as the management listener of bws does: status ${status}`;
  }
}

const CHANGE_TIMEOUT_MS = 5000;

function refusalOf(text: string): Refusal | undefined {
  try {
    const refusal = JSON.parse(text);
    return typeof refusal.error === "string" ? refusal : undefined;
  } catch {
    return undefined;
  }
}
