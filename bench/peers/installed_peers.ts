/**
 * The peers, those of them that are here, and one of them at work.
 *
 * @module
 */

import { lastLine, listening, startPinned, stop } from "../pinned_process.ts";
import { BARE } from "./bare.ts";
import { BWS_PEERS } from "./bws.ts";
import { CADDY } from "./caddy.ts";
import { DIRECT } from "./direct.ts";
import { HAPROXY } from "./haproxy.ts";
import { HONO_PEERS } from "./hono.ts";
import { NGINX } from "./nginx.ts";
import { NODE_PEERS } from "./node_peers.ts";
import type { Peer, Setting } from "./peer.ts";

/** All of them. */
export const PEERS: readonly Peer[] = [DIRECT, ...BWS_PEERS, BARE, NGINX, HAPROXY, CADDY, ...NODE_PEERS, ...HONO_PEERS];

/** A peer that is here. */
export interface InstalledPeer extends Peer {
  /** Its version and that of what it runs on. */
  installedVersion: string;
}

/** Ten thousand routes take some programs a while. */
const START_TIMEOUT_MS = 60_000;

/** Those of `keys` that are here; `missing` is told why of each other one. */
export async function installedPeers(
  keys: readonly string[],
  missing: (name: string, why: string) => void,
): Promise<InstalledPeer[]> {
  const here: InstalledPeer[] = [];
  for (const peer of PEERS) {
    if (!keys.includes(peer.key)) continue;
    try {
      here.push({ ...peer, installedVersion: await peer.version() });
    } catch (cause) {
      missing(peer.name, cause instanceof Error ? cause.message : String(cause));
    }
  }
  return here;
}

/** A peer that runs. */
export interface RunningPeer {
  port: number;
  /** Its process; without one, there is none between load and upstream. */
  pid?: number;
  /** Whether its process has ended by itself. */
  ended(): boolean;
  stop(): Promise<void>;
}

/**
 * Starts a peer and waits until it listens. One without a program of its own is measured at its first upstream.
 *
 * @throws {Error} When it does not start, with what it said last.
 */
export async function startPeer(
  peer: Peer,
  { cores, setting }: { cores: string; setting: Setting },
): Promise<RunningPeer> {
  const start = await peer.prepare(setting);
  if (start === undefined) {
    return { port: Number(setting.upstreams[0].split(":")[1]), ended: () => false, stop: () => Promise.resolve() };
  }
  const errorFile = `${setting.folder}/stderr.log`;
  const child = startPinned(cores, start.command, start.args, { env: start.env, errorFile });
  let ended = false;
  child.status.then(() => ended = true);
  try {
    await listening(setting.port, child, START_TIMEOUT_MS);
  } catch (cause) {
    await stop(child);
    const said = lastLine(await Deno.readTextFile(errorFile));
    throw new Error(`${(cause as Error).message}${said === "" ? "" : `: ${said.slice(0, 160)}`}`, { cause });
  }
  return { port: setting.port, pid: child.pid, ended: () => ended, stop: () => stop(child) };
}
