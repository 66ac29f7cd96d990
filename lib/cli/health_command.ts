/**
 * `bws health`: checks whether a server is ready. For containers that have neither curl nor a shell.
 *
 * @module
 */

import { internalPrefix } from "../handlers/internal/internal_paths.ts";
import { loadConfig } from "../generation/config/load_config.ts";
import type { Config } from "../generation/config/config_types.ts";
import { durationMs } from "../config/fields.ts";
import { type CommandInput, DEFAULT_CONFIG, flagValue, UsageError } from "./command.ts";
import { plainGet, type PlainResponse } from "./plain_get.ts";
import { paint } from "./terminal.ts";

const DEFAULT_TIMEOUT = "2s";

/** The request to send. */
interface Target {
  readonly url: URL;
  /** Value of Host, where it is not that of the URL. */
  readonly host?: string;
}

/**
 * Requests the readiness of a server and prints it in one line. Exits with 0 if the server is ready, else with 1.
 *
 * @throws {UsageError} The URL or the timeout is invalid, or the config has no endpoint for health.
 * @throws {ConfigError} The config is refused.
 */
export async function healthCommand(input: CommandInput): Promise<number> {
  const { terminal, positionals } = input;
  const endpoint = input.flags.has("live") ? "live" : "ready";
  const timeoutMs = readTimeout(flagValue(input, "timeout") ?? DEFAULT_TIMEOUT);
  const target = positionals.length > 0
    ? { url: readUrl(positionals[0], endpoint) }
    : targetOf((await readConfig(flagValue(input, "config") ?? DEFAULT_CONFIG)).config, endpoint);
  const fault = await faultOf(target, timeoutMs);
  const what = endpoint === "live" ? "alive" : "ready";
  if (fault === undefined) {
    terminal.print(`${paint(terminal.outputColored, "green", what)} ${target.url.href}`);
    return 0;
  }
  terminal.printError(`${paint(terminal.errorColored, "red", `not ${what}`)} ${target.url.href}: ${fault}`);
  return 1;
}

// Files are not checked: a running server does not need all files that a start needs.
function readConfig(path: string): Promise<{ config: Config }> {
  return loadConfig(path, { checkFiles: false, lenient: true });
}

function readTimeout(text: string): number {
  const ms = durationMs(/^\d+(?:\.\d+)?$/.test(text) ? Number(text) : text);
  if (ms !== undefined && ms > 0) return ms;
  throw new UsageError(`--timeout ${text} is no time, expected one such as ${DEFAULT_TIMEOUT}`);
}

function readUrl(text: string, endpoint: string): URL {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null) {
    throw new UsageError(`${JSON.stringify(text)} is no URL, expected one such as http://127.0.0.1:8080`);
  }
  // A path or query in the URL is used as it is given.
  if (url.pathname === "/" && url.search === "") url.pathname = `/api/health/${endpoint}`;
  return url;
}

/** The first site with health endpoints; else the management API, which only reports that the server runs. */
function targetOf({ sites, management }: Config, endpoint: string): Target {
  for (const { internal_api, listen, port, hostname, hostnames } of sites) {
    const prefix = internalPrefix(internal_api);
    if (prefix === undefined || port === 0) continue;
    const host = [hostname, ...hostnames].find((name) => name !== undefined && !name.includes("*"));
    return { url: new URL(`http://${addressOf(listen)}:${port}${prefix}/health/${endpoint}`), host };
  }
  if (management.enabled && management.port !== 0) {
    return { url: new URL(`http://${addressOf(management.host)}:${management.port}/api/health/live`) };
  }
  throw new UsageError("The config has no site with internal_api and a port, and no management API: give a URL");
}

function addressOf(listen: string | undefined): string {
  if (listen === undefined || listen === "0.0.0.0") return "127.0.0.1";
  if (listen === "::") return "[::1]";
  return listen.includes(":") ? `[${listen}]` : listen;
}

/** Why the server is not ready, or undefined if it is. */
async function faultOf({ url, host }: Target, timeoutMs: number): Promise<string | undefined> {
  try {
    const { status, body } = url.protocol === "https:"
      ? await secureGet(url, timeoutMs)
      : await plainGet(url, host ?? url.host, timeoutMs);
    if (status === 200) return undefined;
    if (status === 404) {
      return "status 404: no site with internal_api responds there; give the URL of one, not of the management API";
    }
    return [`status ${status}`, ...missingIn(body)].join(", ");
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") return `no response within ${timeoutMs} ms`;
    if (!(error instanceof Error)) throw error;
    return innermost(error).message.replace(/ \(os error \d+\)$/, "");
  }
}

async function secureGet(url: URL, timeoutMs: number): Promise<PlainResponse> {
  const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
  return { status: response.status, body: await response.text() };
}

function missingIn(text: string): string[] {
  try {
    const { missing } = JSON.parse(text);
    return Array.isArray(missing) ? missing.map((one) => String(one).replace(/\s+/g, " ")) : [];
  } catch {
    return [];
  }
}

function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
