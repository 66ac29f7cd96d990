/**
 * Request bodies that are read whole before an upstream is asked: in memory where they are small, else in a file. A slow client
 * holds no connection of an upstream, one that leaves costs it nothing, and a body can be sent again.
 *
 * @module
 */

import type { z } from "zod";
import type { AnnouncedBody, BodyBuffering, BufferedBody } from "../../exchange/body_buffering.ts";
import { TransportFailure } from "../../failure/failure.ts";
import { BodyReader } from "../../http/body_reader.ts";
import type { CoarseClock } from "../../state/coarse_clock.ts";
import { Deadlines, type SilenceLimits } from "../../upstream/connection/deadlines.ts";
import type { BuildContext, Feature } from "../feature.ts";
import { BodyStore } from "./body_store.ts";
import {
  type RequestBufferingConfig,
  requestBufferingKeys,
  requestBufferingSchema,
} from "./request_buffering_schema.ts";

/** `request_buffering`. */
export const requestBuffering = {
  key: "request_buffering",
  scopes: ["site", "route"],
  routeKeys: ["timeout", "streaming"],
  folders: ["folder"],
  order: 160,
  schema: requestBufferingSchema,
  check(options, report) {
    if (typeof options !== "object" || options.max_memory <= options.max_size) return;
    report.error(["max_memory"], { message: "max_memory is above max_size", expected: "at most max_size" });
  },
  compile: (options, context) => {
    const config = options === true ? requestBufferingKeys.parse({}) : options;
    if (config === undefined || config === false || !config.enabled) return undefined;
    return { bodyBuffering: new RequestBuffering(config, silenceLimits(context), context.clock) };
  },
} as const satisfies Feature<z.output<typeof requestBufferingSchema>>;

/** How slow a client may be, from the timeouts of the proxy and of the route. */
function silenceLimits({ proxy, route }: BuildContext): SilenceLimits {
  const { client = 0, min_upload_rate = 0 } = proxy?.timeout ?? {};
  return {
    ...{ readTimeoutMs: Infinity, writeTimeoutMs: Infinity, clientTimeoutMs: client === 0 ? Infinity : client },
    minUploadRate: route?.streaming === true ? 0 : min_upload_rate,
  };
}

/** Reads the bodies of one site or route. Built once. */
export class RequestBuffering implements BodyBuffering {
  readonly #config: RequestBufferingConfig;
  readonly #limits: SilenceLimits;
  readonly #clock: CoarseClock;

  constructor(config: RequestBufferingConfig, limits: SilenceLimits, clock: CoarseClock) {
    this.#config = config;
    this.#limits = limits;
    this.#clock = clock;
  }

  async read({ source, length, limit }: AnnouncedBody): Promise<BufferedBody> {
    const { max_size } = this.#config;
    const tooLarge = (bytes: number) =>
      limit?.arrived(bytes) ??
        (bytes > max_size ? `The client's body is larger than the ${max_size} bytes that are buffered` : undefined);
    const announced = length >= 0 ? tooLarge(length) : undefined;
    if (announced !== undefined) {
      source.cancel(announced);
      throw new TransportFailure("body_too_large", announced);
    }
    const store = new BodyStore(this.#config);
    const client = new SlowClient(new BodyReader(source), this.#limits, this.#clock);
    try {
      for (let bytes = 0;;) {
        const piece = await client.read(bytes);
        if (piece === undefined) break;
        bytes += piece.length;
        const reason = tooLarge(bytes);
        if (reason !== undefined) throw new TransportFailure("body_too_large", reason);
        const writing = store.add(piece);
        if (writing !== undefined) await writing;
      }
      const { trailers } = client;
      return { source: await store.finish(trailers), length: store.bytes, trailers };
    } catch (error) {
      store.release();
      client.leave(error);
      throw error;
    } finally {
      client.end();
    }
  }
}

/** The client while its body is read, with the deadlines of an upload. */
class SlowClient {
  readonly #reader: BodyReader;
  readonly #deadlines: Deadlines;
  readonly #clock: CoarseClock;
  #waitedMs = 0;
  #late: TransportFailure | undefined;

  constructor(reader: BodyReader, limits: SilenceLimits, clock: CoarseClock) {
    this.#reader = reader;
    this.#deadlines = new Deadlines(clock, limits);
    this.#clock = clock;
    clock.watch(this);
  }

  get trailers(): readonly string[] | undefined {
    return this.#reader.trailers;
  }

  /**
   * The next piece; undefined after the last one.
   *
   * @param bytes Bytes that have arrived before.
   * @throws {TransportFailure} When the client left or is too slow.
   */
  async read(bytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#deadlines.awaitUpload(bytes, this.#waitedMs);
    try {
      const piece = await this.#reader.read();
      if (this.#late !== undefined) throw this.#late;
      return piece?.bytes;
    } catch (error) {
      if (error instanceof TransportFailure) throw error;
      throw new TransportFailure("client_left", "The client broke off its body", error);
    } finally {
      this.#waitedMs += this.#deadlines.endUpload();
    }
  }

  /** Reads no more. */
  leave(reason: unknown): void {
    this.#reader.cancel(reason);
  }

  /** Ends the deadlines. */
  end(): void {
    this.#clock.unwatch(this);
  }

  tick(nowMs: number): void {
    this.#late ??= this.#deadlines.expired(nowMs);
    if (this.#late !== undefined) this.#reader.cancel(this.#late);
  }
}
