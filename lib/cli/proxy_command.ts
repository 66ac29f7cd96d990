/**
 * `bws proxy`: a proxy on one port.
 *
 * @module
 */

import { isIpAddress } from "../http/ip_address.ts";
import { type CommandInput, flagValue, UsageError } from "./command.ts";
import { flagConfig, readPort, upstreamUrl } from "./flag_config.ts";
import { serveConfig } from "./serve_config.ts";

/**
 * Forwards the requests of one port to upstreams.
 *
 * @throws {UsageError} A flag is missing, or its value is invalid.
 * @throws {ListenError} The port cannot be opened.
 */
export async function proxyCommand(input: CommandInput): Promise<number> {
  const targets = input.flags.get("to");
  if (targets === undefined) throw new UsageError("proxy needs an upstream: --to URL");
  const { listen, port } = readFrom(flagValue(input, "from") ?? ":8080");
  const config = flagConfig({
    logging: { format: "combined" },
    sites: [{
      name: `proxy to ${targets.join(", ")}`,
      listen,
      port,
      internal_api: false,
      proxy: {
        preserve_host: !input.flags.has("change-host"),
        upstreams: targets.map((target) => ({ name: "upstream", url: upstreamUrl(target) })),
        routes: [{ path: "/", upstream: "upstream", websocket: true }],
        load_balancing: { method: flagValue(input, "policy") },
      },
    }],
  });
  return await serveConfig(config, input.terminal);
}

function readFrom(from: string): { listen: string | undefined; port: number } {
  const [, host, port] = /^(?:(.*):)?([^:\]]*)$/.exec(from) ?? ["", from, ""];
  const address = (host ?? "").replace(/^\[(.*)\]$/, "$1");
  if (address === "") return { listen: undefined, port: readPort(port) };
  const listen = address === "localhost" ? "127.0.0.1" : address;
  if (isIpAddress(listen)) return { listen, port: readPort(port) };
  throw new UsageError(
    `--from ${from} names the host ${JSON.stringify(address)}, expected an IP address, "localhost" or none`,
  );
}
