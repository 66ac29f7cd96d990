/**
 * Serving a config until somebody asks to stop: what `run`, `proxy` and `files` have in common.
 *
 * @module
 */

import type { Config } from "../config/schema.ts";
import { Log, openSink } from "../log/log.ts";
import { type RunningServer, startServer } from "../server/server.ts";
import { VERSION } from "../version.ts";
import { idleKeys } from "./idle_keys.ts";
import { counted, listenLines, siteList } from "./listen_lines.ts";
import { stopSignal } from "./stop_signal.ts";
import { logStrayErrors } from "./stray_errors.ts";
import { paint, type Terminal } from "./terminal.ts";

/**
 * Opens the ports, says where, and stops at the first signal.
 *
 * @returns The exit code.
 * @throws {ListenError} When a port cannot be opened.
 * @throws {Error} When the log or a file that the config names cannot be opened.
 */
export async function serveConfig(config: Config, terminal: Terminal): Promise<number> {
  const log = openLog(config);
  logStrayErrors(log);
  const signal = stopSignal();
  const server = await startServer(config, { log });
  announce(config, server, terminal);
  for (const sentence of idleKeys(config)) {
    terminal.tell(`${paint(terminal.errorColored, "yellow", "warning")}: ${sentence}`);
  }
  terminal.tell(`bws stops: ${await signal}`);
  const cut = await server.stop();
  if (cut > 0) terminal.tell(`bws cut ${counted(cut, "exchange")} that had not ended within server.shutdown_timeout`);
  await log.flush();
  return 0;
}

function openLog(config: Config): Log {
  const { output } = config.logging;
  try {
    return new Log(openSink(output), config.logging);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot write the log to ${JSON.stringify(output)}: ${reason}`, { cause });
  }
}

function announce(config: Config, { addresses }: RunningServer, terminal: Terminal): void {
  const name = paint(terminal.errorColored, "bold", `bws ${VERSION}`);
  for (const { url, sites } of listenLines(config, addresses.map((address) => address.port))) {
    terminal.tell(`${name} listening on ${paint(terminal.errorColored, "cyan", url)} (${siteList(sites)})`);
  }
}
