/**
 * Addresses of names, looked up in this process.
 *
 * @module
 */

import { plainUrl, usesSrv } from "../upstream_url.ts";
import type { Log } from "../../log/log.ts";
import { parseEndpoint } from "../../sockets/endpoint.ts";
import { Discovery } from "./discovery.ts";
import { HostFinder } from "./host_finder.ts";
import { NameResolver } from "./name_resolver.ts";
import { ServiceFinder } from "./service_finder.ts";
import type { Addresses, AddressSource, AddressWatch, DiscoveredAddress } from "./addresses.ts";

/** Looks names up with the system's name servers, or with others. */
export class DnsAddresses implements Addresses {
  readonly #resolver: NameResolver;
  readonly #log: Log | undefined;

  /** @param nameServers As `server.name_servers` has them; none for the system's. */
  constructor(log: Log | undefined, nameServers: readonly string[] = []) {
    this.#resolver = new NameResolver(nameServers.length === 0 ? {} : { servers: nameServers });
    this.#log = log;
  }

  /** Looks the name of `source` up until it is stopped. */
  watch({ url, intervalMs }: AddressSource, onChange: (addresses: readonly DiscoveredAddress[]) => void): AddressWatch {
    const { hostname, port } = parseEndpoint(plainUrl(url));
    const finder = usesSrv(url)
      ? new ServiceFinder(this.#resolver, hostname)
      : new HostFinder(this.#resolver, hostname, port);
    const discovery = new Discovery({ name: url, finder, onChange, log: this.#log, intervalMs });
    return { ready: discovery.start().then(() => {}), stop: () => discovery.stop() };
  }
}
