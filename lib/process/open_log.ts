/**
 * Opens the log that `[logging]` describes, with the outputs that sites have besides.
 *
 * @module
 */

import { Log } from "../log/log.ts";
import { openSink } from "../log/open_sink.ts";
import type { LoggingConfig } from "./server_schema.ts";

/**
 * Opens a log.
 *
 * @throws {Error} When its output cannot be opened.
 */
export function openLog(logging: LoggingConfig): Log {
  const { output, rotate: rotation, syslog } = logging;
  const open = (output: string) => openSink(output, { rotation, syslog });
  try {
    return new Log(open(output), { ...logging, open });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot write the log to ${JSON.stringify(output)}: ${reason}`, { cause });
  }
}
