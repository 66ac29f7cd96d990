/**
 * Opens the output of log lines: standard output, standard error, a file or a syslog server.
 *
 * @module
 */

import { FileSink } from "./file_sink.ts";
import type { Rotation } from "./rotation.ts";
import type { LogSink } from "./sink.ts";
import type { SyslogSettings } from "./syslog_message.ts";
import { SyslogSink } from "./syslog_sink.ts";
import { isSyslog } from "./syslog_target.ts";

/** Options of {@linkcode openSink}. */
export interface SinkOptions {
  /**
   * When a file is rotated.
   *
   * @default {never}
   */
  readonly rotation?: Rotation | undefined;
  /** What messages to a syslog server have; needed for such an output. */
  readonly syslog?: SyslogSettings;
}

/**
 * Opens the destination of log lines.
 *
 * @param output `stdout`, `stderr`, `syslog`, a URL of a syslog server, or a path.
 * @throws {Error} If the file cannot be opened for appending.
 */
export function openSink(output: string, options: SinkOptions = {}): LogSink {
  if (output === "stdout" || output === "stderr") {
    const stream = output === "stdout" ? Deno.stdout : Deno.stderr;
    return (bytes, header) => writeOnce(stream, bytes, header);
  }
  if (isSyslog(output)) {
    const sink = new SyslogSink(output, options.syslog ?? {});
    return Object.assign((bytes: Uint8Array) => sink.write(bytes), { close: () => sink.close() });
  }
  const file = new FileSink(output, options.rotation);
  return Object.assign((bytes: Uint8Array, header?: string) => file.write(bytes, header), {
    reopen: () => file.reopen(),
    close: () => file.close(),
  });
}

/** Streams that have begun with a header, by the stream. */
const begun = new Map<typeof Deno.stdout | typeof Deno.stderr, string>();

async function writeOnce(
  stream: typeof Deno.stdout | typeof Deno.stderr,
  bytes: Uint8Array,
  header: string | undefined,
): Promise<void> {
  if (header !== undefined && begun.get(stream) !== header) {
    begun.set(stream, header);
    await writeAll(stream, new TextEncoder().encode(header));
  }
  await writeAll(stream, bytes);
}

async function writeAll(stream: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  let rest = bytes;
  while (rest.length > 0) rest = rest.subarray(await stream.write(rest));
}
