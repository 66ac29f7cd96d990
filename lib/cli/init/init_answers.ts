/**
 * The answers of `bws init`, each read from text: a flag or a line that was typed. What a config would refuse is refused
 * here, by the same checks.
 *
 * @module
 */

import { isIpAddress } from "../../http/ip_address.ts";
import type { ConfigInput } from "../../generation/config/config_types.ts";
import { UsageError } from "../command.ts";
import { flagConfig, readPort, upstreamUrl } from "../flag_config.ts";

/** What a config is written from. */
export interface InitAnswers {
  /** Folder of the files, relative to the working folder; undefined where none are served. */
  readonly root: string | undefined;
  /** Whether paths that are no files get /index.html. */
  readonly singlePage: boolean;
  /** URLs of the application; none where there is no application. */
  readonly upstreams: readonly string[];
  /** Paths of the application, beside files. */
  readonly paths: readonly string[];
  /** Path that tells whether the application is healthy. */
  readonly health: string | undefined;
  /** Host name; undefined for any. */
  readonly hostname: string | undefined;
  readonly port: number;
  /** Whether the management API with its dashboard is on. */
  readonly dashboard: boolean;
}

/** What is served. */
export type Served = "files" | "app" | "both";

/** @throws {UsageError} The text names none of the three. */
export function readServed(text: string): Served {
  const word = text.toLowerCase();
  const found = (["files", "app", "both"] as const).find((one, index) => one === word || String(index + 1) === word);
  if (found !== undefined) return found;
  if (word === "application") return "app";
  throw new UsageError(`${JSON.stringify(text)} is none of them, expected files, app or both`);
}

/** @throws {UsageError} There is no such folder. */
export function readFolder(text: string): string {
  let found: Deno.FileInfo;
  try {
    found = Deno.statSync(text);
  } catch {
    throw new UsageError(`The folder ${JSON.stringify(text)} is not there, expected one that is`);
  }
  if (!found.isDirectory) throw new UsageError(`${JSON.stringify(text)} is a file, expected a folder`);
  return text;
}

/** @throws {UsageError} One is no URL of an upstream. */
export function readUpstreams(text: string): readonly string[] {
  const urls = words(text).map(upstreamUrl);
  if (urls.length === 0) throw new UsageError("No address is given, expected one such as http://127.0.0.1:3000");
  tryConfig({ upstreams: urls });
  return urls;
}

/** @throws {UsageError} One does not begin with a slash. */
export function readPaths(text: string): readonly string[] {
  const paths = words(text);
  if (paths.length === 0) throw new UsageError("No path is given, expected one such as /api/");
  tryConfig({ paths });
  return paths;
}

/** @throws {UsageError} The path does not begin with a slash. */
export function readHealth(text: string): string | undefined {
  if (isNone(text)) return undefined;
  tryConfig({ health: text });
  return text;
}

/** @throws {UsageError} The text is no host name. */
export function readHostname(text: string): string | undefined {
  if (isNone(text) || text === "*") return undefined;
  tryConfig({ hostname: text });
  return text;
}

/**
 * @param known What the port belongs to: its host name, and upstreams that cannot have the same port.
 * @throws {UsageError} The text is no port, or not one for this site.
 */
export function readSitePort(text: string, known: Pick<InitAnswers, "hostname" | "upstreams">): number {
  const port = readPort(text);
  if (port === 0) throw new UsageError("0 is any free port, expected one that clients can know");
  if (port === 443 && known.hostname === undefined) {
    throw new UsageError("Port 443 is that of HTTPS, whose certificate needs a host name; expected another port");
  }
  tryConfig({ ...known, port });
  return port;
}

/** @throws {UsageError} The text is neither yes nor no. */
export function readYes(text: string): boolean {
  if (/^y(es)?$/i.test(text)) return true;
  if (/^n(o)?$/i.test(text)) return false;
  throw new UsageError(`${JSON.stringify(text)} is neither yes nor no`);
}

/** The port that is usual for a host name: 443 where a public certificate can be had. */
export function usualPort(hostname: string | undefined): number {
  return hostname !== undefined && isPublic(hostname) ? 443 : 8080;
}

/** Whether authorities could issue a certificate for a host name. */
export function isPublic(hostname: string): boolean {
  const name = hostname.toLowerCase();
  if (isIpAddress(name.replace(/^\[(.*)\]$/, "$1")) || !name.includes(".")) return false;
  return !/\.(localhost|local|internal|test|lan|home\.arpa)$/.test(name);
}

function isNone(text: string): boolean {
  return text === "" || text === "-" || text.toLowerCase() === "none";
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** Has a config of these answers checked, with something that is right in place of all others. */
function tryConfig(given: Partial<Pick<InitAnswers, "upstreams" | "paths" | "health" | "hostname" | "port">>): void {
  const { upstreams = [], paths = ["/"], health, hostname, port = 8080 } = given;
  const urls = upstreams.length === 0 ? ["http://192.0.2.1"] : upstreams;
  const config: ConfigInput = {
    sites: [{
      port,
      ...(hostname === undefined ? {} : { hostname }),
      proxy: {
        upstreams: urls.map((url) => ({ name: "app", url })),
        routes: paths.map((path) => ({ path, upstream: "app" })),
        ...(health === undefined ? {} : { health_check: { path: health } }),
      },
    }],
  };
  flagConfig(config);
}
