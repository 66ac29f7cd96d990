/**
 * Settings of an accepted config that have no effect where it is used: some have an effect only in the program `bws`, and a
 * handler opens no ports.
 *
 * @module
 */

import { defaultOf } from "../config/fields.ts";
import type { Problem } from "../config/problem.ts";
import type { Config } from "../generation/config/config_types.ts";
import { LISTENER_LIMITS } from "../listener/own/limits_schema.ts";
import { loggingSchema, serverSchema } from "./server_schema.ts";

/** How a config is used. */
export interface ConfigUse {
  /** Whether ports are opened, as `startServer` does; a handler opens none. */
  readonly opensPorts: boolean;
  /** Whether a log is written. */
  readonly logs: boolean;
  /**
   * Whether `server.middleware` is loaded.
   *
   * @default {false}
   */
  readonly loadsMiddleware?: boolean;
  /**
   * Name of the config file in the warnings.
   *
   * @default {""}
   */
  readonly file?: string;
}

/** A warning for each setting without effect that differs from its default. */
export function unusedSettings(config: Config, use: ConfigUse): Problem[] {
  const found = [...programSettings(config), ...(use.opensPorts ? [] : portSettings(config))];
  if (!use.logs) found.push(...logSettings(config));
  if (config.server.middleware !== undefined && use.loadsMiddleware !== true && !use.opensPorts) {
    found.push([
      "server.middleware",
      "middleware has no effect in a handler, which is made at once",
      "the option middleware of createHandler",
    ]);
  }
  return found.map(([path, message, expected]) => ({
    ...{ severity: "warning", file: use.file ?? "", line: 0, column: 0, length: 0, sourceLine: "" },
    ...{ path, message, expected },
  }));
}

type Unused = readonly [path: string, message: string, expected: string];

function programSettings({ server, management }: Config): Unused[] {
  const found: Unused[] = [];
  if (server.workers !== defaultOf(serverSchema.shape.workers)) {
    found.push([
      "server.workers",
      "workers has no effect inside another program, which runs it in one thread",
      PROGRAM,
    ]);
  }
  if (server.shutdown_delay !== defaultOf(serverSchema.shape.shutdown_delay)) {
    found.push(["server.shutdown_delay", "shutdown_delay has no effect inside another program", PROGRAM]);
  }
  if (management.enabled) {
    found.push(["management", "[management] has no effect inside another program: nothing listens for it", PROGRAM]);
  }
  return found;
}

function portSettings({ server, sites }: Config): Unused[] {
  const found: Unused[] = [];
  if (server.reuse_port) found.push(["server.reuse_port", `reuse_port has no effect in a handler`, OPENED]);
  if (server.listener !== undefined) found.push(["server.listener", "listener has no effect in a handler", OPENED]);
  if (server.sockets !== defaultOf(serverSchema.shape.sockets)) {
    found.push(["server.sockets", "sockets has no effect in a handler", OPENED]);
  }
  const limits = KEYS_OF_LIMITS.filter((key) => server.limits[key] !== LISTENER_LIMITS[key]);
  if (limits.length > 0) {
    const verb = limits.length === 1 ? "has" : "have";
    found.push(["server.limits", `${limits.join(" and ")} of [server.limits] ${verb} no effect in a handler`, OPENED]);
  }
  const limited = sites.findIndex((site) => site.limits !== undefined);
  if (limited >= 0) found.push([`sites[${limited}].limits`, "limits of a site have no effect in a handler", OPENED]);
  const proxied = sites.findIndex(({ proxy_protocol }) => proxy_protocol);
  if (proxied >= 0) {
    found.push([`sites[${proxied}].proxy_protocol`, "proxy_protocol has no effect in a handler", OPENED]);
  }
  const secure = sites.findIndex(({ tls }) => tls !== undefined && tls !== "off");
  if (secure >= 0) {
    found.push([
      `sites[${secure}].tls`,
      "tls has no effect in a handler, which gets requests from its program",
      OPENED,
    ]);
  }
  const ports = [...new Set(sites.map(({ port }) => port))];
  if (ports.length > 1) {
    found.push([
      `sites[${sites.findIndex(({ port }) => port !== ports[0])}].port`,
      `the ports ${ports.join(" and ")} are not opened: in a handler they only decide which sites a URL means`,
      OPENED,
    ]);
  }
  const bound = sites.findIndex(({ listen }) => listen !== undefined);
  if (bound >= 0) {
    found.push([
      `sites[${bound}].listen`,
      `listen = ${JSON.stringify(sites[bound].listen)} has no effect in a handler`,
      OPENED,
    ]);
  }
  return found;
}

function logSettings({ logging: { level, format, output } }: Config): Unused[] {
  const { shape } = loggingSchema;
  const changed = [
    ...(level === defaultOf(shape.level) ? [] : ["level"]),
    ...(format === defaultOf(shape.format) ? [] : ["format"]),
    ...(output === defaultOf(shape.output) ? [] : ["output"]),
  ];
  if (changed.length === 0) return [];
  const verb = changed.length === 1 ? "has" : "have";
  return [[
    "logging",
    `${changed.join(" and ")} of [logging] ${verb} no effect: no log is written`,
    "the option { log: true }",
  ]];
}

const KEYS_OF_LIMITS = Object.keys(LISTENER_LIMITS) as (keyof typeof LISTENER_LIMITS)[];
const PROGRAM = "the program bws, which has it";
const OPENED = "the program bws or startServer, which open the ports";
