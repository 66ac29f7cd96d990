/**
 * The running program: one gateway, its open ports, and their orderly end.
 *
 * @module
 */

import type { Config } from "../config/schema.ts";
import { Gateway, type GatewayOptions } from "../gateway/gateway.ts";
import { type OpenListener, openListener } from "./listener.ts";

/** A server that runs. */
export interface RunningServer {
  /** Its generation. */
  readonly gateway: Gateway;
  /** Where it listens, in the order of `gateway.listeners`. */
  readonly addresses: readonly Deno.NetAddr[];
  /**
   * Closes open WebSockets with 1001 once they had their `drain` time, stops accepting, lets exchanges under way end, all
   * within `shutdown_timeout`, then cuts the rest.
   *
   * @returns How many exchanges had to be cut.
   */
  stop(): Promise<number>;
}

/**
 * Builds a gateway and opens its ports: all of them or none.
 *
 * @throws {ListenError} When a port cannot be opened.
 * @throws {Error} When a file that the config names cannot be read.
 */
export async function startServer(config: Config, options: GatewayOptions = {}): Promise<RunningServer> {
  const gateway = new Gateway(config, options);
  const open: OpenListener[] = [];
  try {
    for (const listener of gateway.listeners) open.push(openListener(gateway, listener));
  } catch (error) {
    await Promise.all(open.map((listener) => listener.shutdown()));
    gateway.close();
    throw error;
  }
  return {
    gateway,
    addresses: open.map((listener) => listener.address),
    stop: () => stop(gateway, open, config.server.shutdown_timeout),
  };
}

async function stop(gateway: Gateway, open: OpenListener[], timeoutMs: number): Promise<number> {
  // First the WebSockets, while the ports are open still: the runtime's shutdown would close them at once.
  const shutdowns = gateway.sockets.drain().then(() => Promise.all(open.map((listener) => listener.shutdown())));
  let cut = 0;
  if (!await settledWithin(shutdowns, timeoutMs)) {
    cut = gateway.underWay;
    gateway.destroy();
    // What was cut is answered with an error, if its client takes it; one that takes nothing is not waited for.
    await settledWithin(shutdowns, 1000);
  }
  gateway.close();
  return cut;
}

async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), timeoutMs));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
