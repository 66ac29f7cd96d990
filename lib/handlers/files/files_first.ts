/**
 * Files before an upstream: a route with `try_files` looks for them, and its upstream gets the requests for which there is
 * none.
 *
 * @module
 */

import type { Exchange } from "../../exchange/exchange.ts";
import type { Outcome } from "../../exchange/exchange_failure.ts";
import type { Filter } from "../../exchange/filter.ts";
import type { RequestHead } from "../../http/message.ts";
import { fileOutcome } from "./file_handler.ts";
import type { FileLookUp, FileSearch, FileServer } from "./file_server.ts";

/** Serves the files of one route. */
export class FilesFirst implements Filter {
  readonly #files: FileServer;
  readonly #lookUp: FileLookUp;

  /**
   * @param files The files of the site.
   * @param tryFiles What to look for, in order.
   */
  constructor(files: FileServer, tryFiles: readonly string[]) {
    this.#files = files;
    this.#lookUp = files.lookUp(tryFiles);
  }

  /** Serves a file: at once where it is in memory. undefined where there is none, or the request is not for a file. */
  request(exchange: Exchange): Outcome | undefined | Promise<Outcome | undefined> {
    const { head } = exchange;
    if (head.upgrade !== "") return undefined;
    const found = this.#lookUp.find(head);
    if (found === undefined) return undefined;
    return found instanceof Promise
      ? found.then((late) => late && fileOutcome(head, late, this.#files))
      : fileOutcome(head, found, this.#files);
  }

  /** How the file for a request is looked for. */
  explain(head: RequestHead): Promise<FileSearch> {
    return this.#lookUp.explain(head);
  }
}
