/**
 * Outputs that are syslog servers, as a config names them.
 *
 * @module
 */

/** A syslog server. */
export type SyslogTarget =
  | { readonly transport: "udp" | "tcp"; readonly hostname: string; readonly port: number }
  | { readonly transport: "unix"; readonly path: string };

/** What an output may be, for messages. */
export const SYSLOG_FORMS = '"syslog", "syslog+udp://HOST:PORT", "syslog+tcp://HOST:PORT" or "syslog+unix:/PATH"';

const DEFAULT_PORT = 514;
const LOCAL = "/dev/log";

/** Whether an output is meant to be a syslog server. */
export function isSyslog(output: string): boolean {
  return output === "syslog" || /^syslog(?:\+\w+)?:/.test(output);
}

/** The server that an output names; undefined where the text is malformed. */
export function syslogTarget(output: string): SyslogTarget | undefined {
  if (output === "syslog") return { transport: "unix", path: LOCAL };
  const unix = /^syslog\+unix:(?:\/\/)?(\/.+)$/.exec(output);
  if (unix !== null) return { transport: "unix", path: unix[1] };
  const net = /^syslog\+(udp|tcp):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/?#@[\]]+))(?::(\d{1,5}))?\/?$/.exec(output);
  if (net === null) return undefined;
  const port = net[4] === undefined ? DEFAULT_PORT : Number(net[4]);
  if (port < 1 || port > 65535) return undefined;
  return { transport: net[1] as "udp" | "tcp", hostname: net[2] ?? net[3], port };
}
