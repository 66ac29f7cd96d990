/**
 * Serves a config until a signal stops the program: the common part of `run`, `proxy` and `files`.
 *
 * @module
 */

import { FailureList } from "../admin/failure_list.ts";
import type { Management } from "../admin/management.ts";
import { type Problem, problemFields } from "../config/problem.ts";
import { formatProblems } from "../config/problem.ts";
import type { Config } from "../generation/config/config_types.ts";
import type { ResolvedConfig } from "../generation/config/resolve_config.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { GenerationOptions } from "../generation/generation.ts";
import type { Log, OutputName } from "../log/log.ts";
import { logUncaughtErrors } from "../log/uncaught_errors.ts";
import { openLog } from "../process/open_log.ts";
import { Reloader, type ReloadResult } from "../process/reloader.ts";
import { type RunningServer, startServer } from "../process/server.ts";
import { unseenWork } from "../state/unseen_work.ts";
import { workerCount } from "../process/worker_count.ts";
import { VERSION } from "../version.ts";
import { watchFile } from "./file_watch.ts";
import { openFileShortfall } from "./open_file_limit.ts";
import { siteCertificates } from "./certificate_lines.ts";
import { counted, listenLines, siteList } from "./listen_lines.ts";
import { onReopenSignal, stopSignal } from "./signals.ts";
import { paint, type Terminal } from "./terminal.ts";

/** The file of a config. */
export interface ConfigFile {
  readonly path: string;
  /** Reads the file again. */
  readonly load: () => Promise<ResolvedConfig>;
  /** Whether a change of the file reloads it. */
  readonly watched: boolean;
  /** Warnings of the first config, for the log. */
  readonly warnings: readonly Problem[];
}

/**
 * Opens the ports, prints the addresses, and stops at the first signal.
 *
 * @param file The file of the config; without it the config cannot be reloaded.
 * @returns The exit code.
 * @throws {ListenError} When a port cannot be opened.
 * @throws {Error} When the log or a file that the config names cannot be opened.
 */
export async function serveConfig(config: Config, terminal: Terminal, file?: ConfigFile): Promise<number> {
  const log = openLog(config.logging);
  logUncaughtErrors(log);
  onReopenSignal(() => log.reopen());
  for (const warning of file?.warnings ?? []) log.log("warn", "config warning", problemFields(warning));
  // Before ports are opened, so that a signal during that time is not missed.
  let hangUp = () => {};
  const signal = stopSignal(file === undefined ? {} : { onHangUp: () => hangUp() });
  const failures = new FailureList();
  const onFailure = config.management.enabled ? (failure: FailureReport) => failures.add(failure) : undefined;
  const server = await start(config, { log, terminal, onFailure });
  const reloader = new Reloader({ server, config, file: file?.path ?? null, load: file?.load, log });
  if (logsToFile(config)) reloader.onReloaded = (result) => printRefusal(result, terminal);
  const management = await manage(config, { server, reloader, failures, log });
  hangUp = () => reloader.reload("SIGHUP");
  const watch = file?.watched === true ? watchFile(file.path, () => reloader.reload("the file changed")) : undefined;
  announce(config, server, terminal);
  for (const { site, automatic, names } of siteCertificates(config)) {
    if (!automatic) continue;
    const issuers = [...new Set(names.map(({ issuer }) => issuer))].join(" ");
    log.log("info", "site has HTTPS by its host name on port 443", {
      ...{ site, names: names.map(({ name }) => name).join(" "), issuers },
    });
  }
  if (management !== undefined) announceManagement(config, management, terminal);
  await terminal.printErrorLater(`bws stops: ${await signal}`);
  watch?.close();
  await waitBeforeStop(reloader.config, { server, terminal });
  const cut = await server.stop();
  await management?.stop();
  if (cut > 0) {
    await terminal.printErrorLater(
      `bws cut ${counted(cut, "exchange")} that had not ended within server.shutdown_timeout`,
    );
  }
  const lost = await log.drain();
  if (lost > 0) await terminal.printErrorLater(`bws lost ${lost} bytes of its log: nobody takes them`);
  return 0;
}

function logsToFile({ logging: { output } }: Config): boolean {
  return output !== "stdout" && output !== "stderr";
}

// To standard error, too: the operator who sent the signal reads it there, or in the journal of systemd.
function printRefusal({ accepted, problems }: ReloadResult, terminal: Terminal): void {
  if (accepted) return;
  const text = formatProblems(problems, { color: terminal.errorColored });
  terminal.printErrorLater(`${text}\nbws: the config is refused, the one before goes on`);
}

async function start(
  config: Config,
  { log, terminal, onFailure }: { log: Log; terminal: Terminal; onFailure: GenerationOptions["onFailure"] },
): Promise<RunningServer> {
  unseenWork.embedded = false;
  const { count, shortfall } = workerCount(config.server);
  for (const lack of [shortfall, openFileShortfall(config)]) {
    if (lack !== undefined) terminal.printError(`${paint(terminal.errorColored, "yellow", "warning")}: ${lack}`);
  }
  if (count === 1) return await startServer(config, { log, onFailure });
  // Loaded only if needed, as the management API is, so that other starts are faster.
  const { startWorkers } = await import("../process/worker_server.ts");
  const writeLog = (bytes: Uint8Array, name?: OutputName) => log.write(bytes, name);
  const server = await startWorkers(config, { workers: count, log, writeLog, onFailure });
  terminal.printError(`bws serves with ${count} workers`);
  return server;
}

// If the port of the management API cannot be opened, the server is stopped, as for the port of a site.
async function manage(
  { management, server: { reuse_port: waitsForPort } }: Config,
  { server, reloader, failures, log }: { server: RunningServer; reloader: Reloader; failures: FailureList; log: Log },
): Promise<Management | undefined> {
  if (!management.enabled) return undefined;
  try {
    const { startManagement } = await import("../admin/management.ts");
    return await startManagement({
      ...{ settings: management, server, config: reloader, failures, waitsForPort, log },
    });
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function waitBeforeStop(
  { server: { shutdown_delay: delayMs } }: Config,
  { server, terminal }: { server: RunningServer; terminal: Terminal },
): Promise<void> {
  server.turnUnready();
  if (delayMs === 0) return;
  await terminal.printErrorLater(
    `bws is not ready any more, and goes on for ${delayMs / 1000} s (server.shutdown_delay)`,
  );
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}

function announceManagement({ management }: Config, { address, open }: Management, terminal: Terminal): void {
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  const url = paint(terminal.errorColored, "cyan", `http://${host}:${address.port}`);
  const key = management.api_key === undefined ? "" : " (with the API key)";
  terminal.printError(`bws dashboard, API and metrics at ${url}${key}${open ? "" : ", once the port is free"}`);
}

function announce(config: Config, { addresses }: RunningServer, terminal: Terminal): void {
  const name = paint(terminal.errorColored, "bold", `bws ${VERSION}`);
  for (const { url, sites } of listenLines(config, addresses.map((address) => address.port))) {
    terminal.printError(`${name} listening on ${paint(terminal.errorColored, "cyan", url)} (${siteList(sites)})`);
  }
}
