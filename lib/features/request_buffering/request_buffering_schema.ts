/**
 * The table `request_buffering`.
 *
 * @module
 */

import { z } from "zod";
import { flag, size, table, text } from "../../config/fields.ts";

/** The keys of `request_buffering`. */
export const requestBufferingKeys = table({
  enabled: flag().default(true).describe("Whether bodies are read whole before an upstream is asked."),
  max_memory: size().prefault("64KiB").describe("Largest body that is kept in memory; a larger one is kept in a file."),
  max_size: size().prefault("1GiB").describe("Largest body that is taken; a larger one is refused with 413."),
  max_total: size().prefault("4GiB").describe(
    "Most bytes in files, of all bodies of a worker together; a body beyond them is refused with 507.",
  ),
  folder: text("the path of a folder").optional().describe(
    "Folder of the files, which have no name while they are used; without it, the system's for temporary files.",
  ),
});

/** `request_buffering`. */
export const requestBufferingSchema = z.union([flag(), requestBufferingKeys], { error: "true, false or a table" })
  .optional().describe(
    "Read request bodies whole before an upstream is asked: slow clients do not hold upstreams, and the length is always known. " +
      "Calls of gRPC are not buffered. true is a table without keys.",
  );

/** `request_buffering`, after defaults. */
export type RequestBufferingConfig = z.output<typeof requestBufferingKeys>;
