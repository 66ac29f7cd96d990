/**
 * The addresses on which a site listens.
 *
 * @module
 */

import type { Site } from "../generation/site.ts";
import type { Managed } from "./managed.ts";

/** The addresses of a site, such as `http://0.0.0.0:8080`. */
export function siteAddresses({ generation, addresses }: Managed, site: Site): string[] {
  const { listen, port } = site.config;
  const alike = generation.listeners.flatMap((listener, index) =>
    listener.address === listen && listener.port === port ? [addresses[index]] : []
  );
  // Each site with port 0 has a listener of its own, in the order of the config.
  const among = generation.sites.filter(({ config }) => config.listen === listen && config.port === 0);
  const own = port === 0 ? alike.slice(among.indexOf(site)).slice(0, 1) : alike;
  return own.map(addressText);
}

function addressText({ hostname, port }: Deno.NetAddr): string {
  return `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
