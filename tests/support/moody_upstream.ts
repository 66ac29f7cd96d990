/**
 * An upstream whose mood a test sets, in the test's own process.
 *
 * @module
 */

import { answerOf, ScriptedUpstream, type UpstreamPeer } from "./scripted_upstream.ts";
import { statusAnswer } from "./replying_upstream.ts";
import type { ReceivedMessage } from "./message_reader.ts";

/** What a request gets: a status, the end of its connection, or nothing until {@linkcode MoodyUpstream.release}. */
export type Mood = number | "close" | "hold";

/** An upstream. */
export class MoodyUpstream {
  /** What requests get from now on. */
  mood: Mood = 200;
  /** What `/health` gets. */
  health = 200;
  /** How much later they get it, in milliseconds. */
  delayMs = 0;
  readonly #upstream: ScriptedUpstream;
  readonly #probes: ReceivedMessage[] = [];
  #gate = Promise.withResolvers<void>();

  /** Listens on a free port of loopback. */
  constructor() {
    this.#upstream = ScriptedUpstream.start((peer) => this.#serve(peer));
  }

  /** Its `url` for a config. */
  get url(): string {
    return this.#upstream.url;
  }

  /** Probes that came. */
  get probes(): number {
    return this.#probes.length;
  }

  /** Requests that came, without probes. */
  get requests(): number {
    return this.#upstream.requests.length - this.#probes.length;
  }

  /** Answers what it holds. */
  release(): void {
    this.#gate.resolve();
    this.#gate = Promise.withResolvers<void>();
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    await this.#upstream[Symbol.asyncDispose]();
  }

  async #serve(peer: UpstreamPeer): Promise<void> {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      if (request.firstLine.split(" ")[1] === "/health") {
        this.#probes.push(request);
        if (!await peer.send(statusAnswer(this.health))) return;
        continue;
      }
      const { mood, delayMs } = this;
      if (mood === "close") return;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if (mood === "hold") await this.#gate.promise;
      const answer = typeof mood === "number" && mood !== 200 ? statusAnswer(mood, "bad") : answerOf("ok");
      if (!await peer.send(answer)) return;
    }
  }
}

/** Gives them all up, the last one first. */
export async function closeAll(upstreams: readonly MoodyUpstream[]): Promise<void> {
  for (const upstream of upstreams) await upstream[Symbol.asyncDispose]();
}
