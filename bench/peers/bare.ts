/**
 * A proxy that does nothing but the necessary, as a peer: what the runtime alone costs.
 *
 * @module
 */

import type { Peer } from "./peer.ts";

/** It takes small answers only. */
export const BARE: Peer = {
  name: "bare Deno",
  key: "bare",
  abilities: ["small"],
  version: () => Promise.resolve(Deno.version.deno),
  prepare: ({ port, upstreams }) => {
    const program = new URL("../bare_proxy.ts", import.meta.url).pathname;
    return Promise.resolve({ command: Deno.execPath(), args: ["run", "-A", program, String(port), upstreams[0]] });
  },
};
