/**
 * Reloads of the config while the server runs: by signal, by a change of the file, or through the management API. Reloads
 * run one after the other; a config that is refused changes nothing.
 *
 * @module
 */

import { ConfigError } from "../config/config_error.ts";
import { type Problem, problemFields } from "../config/problem.ts";
import type { Config } from "../generation/config/config_types.ts";
import type { ResolvedConfig } from "../generation/config/resolve_config.ts";
import type { Log } from "../log/log.ts";
import type { RunningServer } from "./server.ts";

/** The result of a reload. */
export interface ReloadResult {
  /** Whether the new config is active. */
  readonly accepted: boolean;
  /** Errors of a config that was refused, or warnings of one that was accepted. */
  readonly problems: readonly Problem[];
  /** Keys that differ from the config of the start and take effect only after a restart. */
  readonly needsRestart: readonly string[];
}

/** Options of {@linkcode Reloader}. */
export interface ReloaderOptions {
  readonly server: RunningServer;
  /** The config of the start. */
  readonly config: Config;
  /** Path of the config file; null when there is none. */
  readonly file: string | null;
  /** Reads the config again. Rejects with a `ConfigError` when it is refused. Undefined where there is no file. */
  readonly load: (() => Promise<ResolvedConfig>) | undefined;
  readonly log: Log | undefined;
}

/** Keys of `[server]` that take effect only at a start. */
const FIXED_KEYS = ["workers", "name_servers", "listener", "sockets", "reuse_port"] as const;
/** Tables that take effect only at a start. */
const FIXED_TABLES = ["logging", "management"] as const;

/** Reloads the config. Owned by the program. */
export class Reloader {
  /** Number of the active config, counted from 1. */
  generation = 1;
  /** When the active config was loaded, in milliseconds since 1970. */
  loadedAtMs = Date.now();
  acceptedCount = 0;
  refusedCount = 0;
  /** The last reload, if it was refused. */
  refused: { readonly atMs: number; readonly problems: readonly Problem[] } | undefined;
  /** Called after each reload. */
  onReloaded: ((result: ReloadResult) => void) | undefined;
  readonly #options: ReloaderOptions;
  #config: Config;
  #needsRestart: readonly string[] = [];
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#config = options.config;
  }

  /** The active config: the one accepted last, with the keys that need a restart as they were at the start. */
  get config(): Config {
    return this.#config;
  }

  /** Path of the config file; null when there is none. */
  get file(): string | null {
    return this.#options.file;
  }

  /** Whether there is a config file to read again. */
  get reloadable(): boolean {
    return this.#options.load !== undefined;
  }

  /**
   * Reads the config again and activates it.
   *
   * @param reason The reason of the reload, for the log.
   */
  reload(reason: string): Promise<ReloadResult> {
    const result = this.#queue.then(() => this.#reload(reason));
    this.#queue = result;
    return result;
  }

  // Never rejects: the next reload waits for this one.
  async #reload(reason: string): Promise<ReloadResult> {
    const { load, server, log } = this.#options;
    let result: ReloadResult;
    try {
      if (load === undefined) throw new Error("There is no config file to read");
      const { config, warnings } = await load();
      const running = withFixed(config, this.#options.config);
      await server.reload(running);
      this.#config = running;
      this.#needsRestart = fixedChanges(this.#options.config, config);
      this.generation++;
      this.acceptedCount++;
      this.loadedAtMs = Date.now();
      this.refused = undefined;
      result = { accepted: true, problems: warnings, needsRestart: this.#needsRestart };
      log?.log("info", "config reloaded", { reason, generation: this.generation });
      for (const warning of warnings) log?.log("warn", "config warning", problemFields(warning));
      for (const key of this.#needsRestart) log?.log("warn", "config key needs a restart to change", { key });
    } catch (error) {
      const problems = error instanceof ConfigError ? error.problems : [problemOf(error, this.file)];
      this.refusedCount++;
      this.refused = { atMs: Date.now(), problems };
      result = { accepted: false, problems, needsRestart: this.#needsRestart };
      log?.log("error", "config refused, the one before goes on", { reason, problems: problems.length });
      for (const problem of problems) log?.log("error", "config problem", problemFields(problem));
    }
    this.onReloaded?.(result);
    return result;
  }
}

/** `config`, with the keys that take effect only at a start as `start` has them. */
function withFixed(config: Config, start: Config): Config {
  const { workers, name_servers, listener, sockets, reuse_port } = start.server;
  const { logging, management } = start;
  return {
    ...config,
    server: { ...config.server, workers, name_servers, listener, sockets, reuse_port },
    logging,
    management,
    ...substitutedIn(config.substituted, start.substituted),
  };
}

/** The substituted values (`${NAME}`) of the resulting config. */
function substitutedIn(
  now: Config["substituted"] = {},
  start: Config["substituted"] = {},
): Pick<Config, "substituted"> {
  const fixed = (path: string) =>
    FIXED_TABLES.some((name) => path.startsWith(`${name}.`)) ||
    FIXED_KEYS.some((key) => path.startsWith(`server.${key}`));
  const entries = [
    ...Object.entries(now).filter(([path]) => !fixed(path)),
    ...Object.entries(start).filter(([path]) => fixed(path)),
  ];
  return entries.length === 0 ? {} : { substituted: Object.fromEntries(entries) };
}

function fixedChanges(start: Config, config: Config): string[] {
  const changed = FIXED_KEYS.filter((key) => !same(start.server[key], config.server[key])).map((key) =>
    `server.${key}`
  );
  return [...changed, ...FIXED_TABLES.flatMap((name) => tableChanges(name, start[name], config[name]))];
}

function tableChanges(name: string, start: object, now: object): string[] {
  const before = new Map<string, unknown>(Object.entries(start));
  const after = new Map<string, unknown>(Object.entries(now));
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => !same(before.get(key), after.get(key)))
    .map((key) => `${name}.${key}`);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function problemOf(error: unknown, file: string | null): Problem {
  const message = error instanceof Error ? error.message : String(error);
  return { severity: "error", file: file ?? "", line: 0, column: 0, length: 0, sourceLine: "", path: "", message };
}
