/**
 * The contract of request bodies that are read whole before a handler passes them on.
 *
 * @module
 */

import type { BodySource } from "../http/body.ts";
import type { BodyLimit } from "./filter.ts";

/** What is known of a body before it is read. */
export interface AnnouncedBody {
  readonly source: BodySource;
  /** Content-Length, or below 0 where it is not known. */
  readonly length: number;
  readonly limit: BodyLimit | undefined;
}

/** Reads request bodies whole. Built once; keeps no state of a body. */
export interface BodyBuffering {
  /**
   * Reads a body to its end.
   *
   * @throws {TransportFailure} When the client broke it off, was too slow, or sent too much.
   * @throws {StorageFailure} When it could not be kept.
   */
  read(body: AnnouncedBody): Promise<BufferedBody>;
}

/** A body that was read whole. Who has it calls {@linkcode BufferedSource.release} once. */
export interface BufferedBody {
  readonly source: BufferedSource;
  /** Its length in bytes. */
  readonly length: number;
  /** Trailer fields; undefined where there are none. The source delivers them, too. */
  readonly trailers: readonly string[] | undefined;
}

/** A body that can be delivered again. */
export interface BufferedSource extends BodySource {
  /** Starts again at the first byte; a piece that was pulled is not delivered. */
  rewind(): void;
  /** Frees memory and file. Further calls have no effect. */
  release(): void;
}

/** A body could not be kept: this machine's failure. */
export class StorageFailure extends Error {
  override readonly name = "StorageFailure";
  /** Status for the client: 507 where there is no room, else 503. */
  readonly status: 503 | 507;

  /** @param message What happened, for the log; never for the client. */
  constructor(status: 503 | 507, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.status = status;
  }
}
