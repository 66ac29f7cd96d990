/**
 * `bws check`: checks config files.
 *
 * @module
 */

import { ConfigError } from "../config/config_error.ts";
import { loadConfig } from "../generation/config/load_config.ts";
import type { TryPort } from "../config/composed_config.ts";
import { formatProblems, type Problem } from "../config/problem.ts";
import type { Config } from "../generation/config/config_types.ts";
import { INTERNAL_PATHS, internalPrefix } from "../handlers/internal/internal_paths.ts";
import { httpSites } from "../generation/config/http_sites.ts";
import { certificateLines } from "./certificate_lines.ts";
import { type CommandInput, configPaths, UsageError } from "./command.ts";
import { counted, listenLines, managementUrl, siteList } from "./listen_lines.ts";
import { openFileShortfall } from "./open_file_limit.ts";
import { paint, type Terminal } from "./terminal.ts";

/** Checks config files; with `--ports` it also opens the ports for a moment. Exits with 1 if a file is refused. */
export async function checkCommand(input: CommandInput): Promise<number> {
  const [strict, lenient, ports] = ["strict", "lenient", "ports"].map((flag) => input.flags.has(flag));
  if (strict && lenient) throw new UsageError("--strict and --lenient contradict each other, expected one of them");
  let exitCode = 0;
  for (const path of configPaths(input)) {
    if (!await checkFile(path, { strict, lenient, ports }, input.terminal)) exitCode = 1;
  }
  return exitCode;
}

/** Values of the flags. */
interface CheckFlags {
  /** Whether warnings refuse a config too. */
  readonly strict: boolean;
  /** Whether unknown keys are warnings. */
  readonly lenient: boolean;
  /** Whether ports are tried. */
  readonly ports: boolean;
}

async function checkFile(path: string, flags: CheckFlags, terminal: Terminal): Promise<boolean> {
  const { strict } = flags;
  const { config, problems } = await read(path, flags);
  if (problems.length > 0) terminal.printError(formatProblems(problems, { color: terminal.errorColored }));
  if (config === undefined || (strict && problems.length > 0)) {
    terminal.printError(
      `${paint(terminal.errorColored, "red", "refused")} ${path}: ${counted(problems.length, "problem")}`,
    );
    return false;
  }
  const warned = problems.length === 0 ? "" : `, ${counted(problems.length, "warning")}`;
  terminal.print(`${paint(terminal.outputColored, "green", "ok")} ${path}: ${describe(config)}${warned}`);
  for (const { url, sites } of listenLines(config)) terminal.print(`   ${url}  ${siteList(sites)}`);
  for (const line of certificateLines(config)) terminal.print(`   ${line}`);
  const management = managementUrl(config);
  if (management !== undefined) terminal.print(`   ${management}  management`);
  // The limit of this shell. A service may have another one, so this is not a problem of the config.
  const shortfall = openFileShortfall(config);
  const notes = [
    ...endpointNotes(config),
    ...await socketNotes(config),
    ...(shortfall === undefined ? [] : [shortfall]),
  ];
  for (const note of notes) {
    terminal.printError(`   ${paint(terminal.errorColored, "yellow", "note")}: ${note}`);
  }
  return true;
}

async function read(
  path: string,
  { lenient, ports }: CheckFlags,
): Promise<{ config?: Config; problems: readonly Problem[] }> {
  try {
    const { config, warnings } = await loadConfig(path, {
      lenient,
      tryLog: true,
      searchFolders: true,
      tryPort: ports ? await portTrial() : undefined,
    });
    const closed = ports ? httpPortProblem(path, config, await portTrial()) : undefined;
    if (closed !== undefined) return { problems: [...warnings, closed] };
    const { middleware } = config.server;
    if (middleware !== undefined) await (await import("../process/load_middleware.ts")).loadMiddleware(middleware);
    return { config, problems: warnings };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems };
    if (error instanceof Error && error.name === "MiddlewareError") {
      return { problems: [middlewareProblem(path, error)] };
    }
    throw error;
  }
}

/** The port that is opened for sites that the config does not write. */
function httpPortProblem(file: string, config: Config, tryPort: TryPort): Problem | undefined {
  const [site] = httpSites(config);
  if (site === undefined || config.sites.some(({ port }) => port === site.port)) return undefined;
  const fault = tryPort(site.listen, site.port, { shared: config.server.reuse_port });
  if (fault === undefined) return undefined;
  return {
    ...{ severity: "error", file, line: 0, column: 0, length: 0, sourceLine: "" },
    ...{
      path: "acme.http_port",
      message: `port ${site.port}, for redirects and challenges, cannot be opened: ${fault}`,
    },
  };
}

function middlewareProblem(file: string, { message }: Error): Problem {
  return {
    ...{ severity: "error", file, line: 0, column: 0, length: 0, sourceLine: "" },
    ...{ path: "server.middleware", message },
  };
}

/** A note if the socket driver that the config names does not work for this user on this machine. */
async function socketNotes({ server }: Config): Promise<string[]> {
  if (server.sockets === "auto") return [];
  const { socketChoice } = await import("../process/socket_choice.ts");
  const { driver, obstacle } = await socketChoice(server);
  if (obstacle === undefined) return [];
  return [
    `server.sockets is ${JSON.stringify(server.sockets)}, which does not work here: ${obstacle}; ${driver} is used`,
  ];
}

// Loaded only if needed, since it imports most of the server.
async function portTrial(): Promise<TryPort> {
  const { checkPort, ListenError } = await import("../process/listener.ts");
  return (address, port, options) => {
    try {
      checkPort({ address, port }, options);
      return undefined;
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      const reason = error.message.replace(/^Cannot listen on \S+: /, "");
      return reason.charAt(0).toLowerCase() + reason.slice(1);
    }
  };
}

function describe(config: Config): string {
  const proxies = config.sites.flatMap(({ proxy }) => proxy?.enabled === true ? [proxy] : []);
  const routes = proxies.reduce((sum, proxy) => sum + proxy.routes.length, 0);
  const upstreams = proxies.reduce((sum, proxy) => sum + proxy.upstreams.length, 0);
  return [counted(config.sites.length, "site"), counted(routes, "route"), counted(upstreams, "upstream")].join(", ");
}

/**
 * A note for each route at the prefix of its site's own endpoints, such as `/api/`: the endpoints have precedence and the
 * route gets the other paths, which is intended, so it is not a warning. No note for routes such as `/`.
 */
function endpointNotes({ sites }: Config): string[] {
  return sites.flatMap(({ name, proxy, internal_api }) => {
    const prefix = internalPrefix(internal_api);
    if (proxy?.enabled !== true || prefix === undefined || prefix === "") return [];
    const paths = INTERNAL_PATHS.map((path) => prefix + path).join(", ");
    return proxy.routes
      .filter(({ path, exact, pattern }) => !exact && !pattern && path.replace(/\/+$/, "") === prefix)
      .map(({ path }) =>
        `site ${JSON.stringify(name)} serves ${paths} itself, before the route ${path} (internal_api)`
      );
  });
}
