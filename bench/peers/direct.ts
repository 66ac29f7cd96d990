/**
 * No proxy at all: the upstream itself is asked. Its latency is what load and upstream take by themselves.
 *
 * @module
 */

import type { Peer } from "./peer.ts";

/** The upstream, asked directly. */
export const DIRECT: Peer = {
  name: "no proxy",
  key: "none",
  abilities: ["proxy", "sockets"],
  version: () => Promise.resolve(""),
  prepare: () => Promise.resolve(undefined),
};
