/**
 * The keys of `[[sites]]` by which a site is found: its name, its hosts, and where it listens.
 *
 * @module
 */

import type { z } from "zod";
import { type Fault, flag, inheriting, integer, judged, list, table, text } from "../config/fields.ts";
import { hostPatternFault, normalHost } from "../config/host_pattern.ts";
import { limitsSchema } from "./own/limits_schema.ts";
import { isIpAddress } from "../http/ip_address.ts";

/** Port of a site that names none. */
export const DEFAULT_PORT = 8080;

const HOST = "a host name";
const ADDRESS = "an IP address without brackets";
const ADDRESS_ALONE = `${ADDRESS}; the port is a key of its own`;

const hostSchema = () => judged(hostPatternFault, HOST).transform(normalHost);

/** The keys, for the composed table. */
export const virtualHostKeys = {
  name: text().optional().describe("Name in logs and metrics; without it, the first host name."),
  hostname: hostSchema().optional().describe('Host name: exact, "*.example.com", an IP address, or "*" for any.'),
  hostnames: list(hostSchema()).prefault([]).describe("More host names; a site without any serves all hosts."),
  port: integer(0, 65535).default(DEFAULT_PORT).describe(
    "Port to listen on; sites may share it. 0 is any free one, for this site alone.",
  ),
  listen: judged(listenFault, ADDRESS_ALONE).optional()
    .describe("IP address to listen on; without it, all interfaces of both families."),
  default: flag().default(false).describe("Whether the site serves hosts that no site of the port names."),
  proxy_protocol: flag().default(false).describe(
    "Whether connections of trusted_proxies begin with a header of the PROXY protocol, version 1 or 2, from which the " +
      "client's address is taken. With BWS's own listener; the same for all sites of a port.",
  ),
  limits: table(inheriting(limitsSchema.shape)).optional().describe(
    "Limits of the site's port for clients, in place of those of [server.limits], key by key. They hold for all sites of the " +
      "port: two of them must not set a key to two values.",
  ),
};

function listenFault(value: string): Fault | undefined {
  if (isIpAddress(value)) return undefined;
  const bare = /^\[(.*)\]$/.exec(value)?.[1] ?? "";
  if (isIpAddress(bare)) return { expected: ADDRESS, suggestion: bare };
  const port = /^(?:.*:)?\d{1,5}(?:\s|$)/.test(value);
  return { expected: port ? ADDRESS_ALONE : ADDRESS };
}

/** The keys, after defaults. */
export type VirtualHostConfig = z.output<z.ZodObject<typeof virtualHostKeys>> & { name: string };

/** The keys of a site that {@linkcode nameSites} reads. */
export interface Nameable {
  readonly name?: string | undefined;
  readonly hostname?: string | undefined;
  readonly hostnames: readonly string[];
  readonly port: number;
}

/** Gives sites without a name their first host name, or `site-N`, and keeps names unique. */
export function nameSites<S extends Nameable>(sites: readonly S[]): (S & { name: string })[] {
  const taken = new Set(sites.flatMap((site) => site.name ?? []));
  return sites.map((site, index) => {
    if (site.name !== undefined) return { ...site, name: site.name };
    const host = site.hostname ?? site.hostnames[0];
    const numbered = `site-${index + 1}`;
    const candidates = host === undefined
      ? [numbered]
      : [host, `${host}:${site.port}`, `${host}:${site.port} ${numbered}`];
    const name = candidates.find((candidate) => !taken.has(candidate)) ?? `${candidates[0]} ${numbered}`;
    taken.add(name);
    return { ...site, name };
  });
}
