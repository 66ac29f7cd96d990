/**
 * The running program in one thread: a gateway, its open ports, their change and their orderly end.
 *
 * @module
 */

import type { Config } from "../config/schema.ts";
import { Gateway, type GatewayListener, type GatewayOptions } from "../gateway/gateway.ts";
import type { MemberChange } from "../gateway/pool_members.ts";
import { Runtime } from "../gateway/runtime.ts";
import { type ListenOptions, OpenListener } from "./listener.ts";

/** A server that runs. */
export interface RunningServer {
  /** Its generation. */
  readonly gateway: Gateway;
  /** Where it listens, in the order of `gateway.listeners`. */
  readonly addresses: readonly Deno.NetAddr[];
  /**
   * Puts another config in place, in one step: what is under way ends under the old one; ports whose address stays are
   * not touched; upstreams that stay keep their state.
   *
   * @throws {ListenError} When a new port cannot be opened. Nothing has changed then.
   * @throws {Error} When a file that the config names cannot be read. Nothing has changed then.
   */
  reload(config: Config): Promise<void>;
  /** Changes who is in a pool, until another config is put in place; in workers within milliseconds. */
  changeMembers(change: MemberChange): Promise<void>;
  /** Makes policies look at the weights of upstreams again, after some have been changed. */
  rebalance(): void;
  /** Turns readiness off, so that a balancer in front takes the server out before it stops. */
  turnUnready(): void;
  /**
   * Closes open WebSockets with 1001 once they had their `drain` time, stops accepting, lets exchanges under way end, all
   * within `shutdown_timeout`, then cuts the rest.
   *
   * @returns How many exchanges had to be cut.
   */
  stop(): Promise<number>;
}

/** How a server is started. */
export interface StartOptions extends GatewayOptions {
  /**
   * How ports are opened, by their listener's {@linkcode GatewayListener.key}.
   *
   * @default {as `server.reuse_port` says}
   */
  readonly listen?: (key: string) => ListenOptions;
}

/**
 * Builds a gateway and opens its ports: all of them or none.
 *
 * @throws {ListenError} When a port cannot be opened.
 * @throws {Error} When a file that the config names cannot be read.
 */
export async function startServer(config: Config, options: StartOptions = {}): Promise<RunningServer> {
  const runtime = options.runtime ?? new Runtime({ log: options.log, nameServers: config.server.name_servers });
  const server = new Server(runtime, options);
  try {
    await server.reload(config);
    return server;
  } catch (error) {
    if (options.runtime === undefined) runtime.close();
    throw error;
  }
}

class Server implements RunningServer {
  readonly #runtime: Runtime;
  readonly #options: StartOptions;
  /** Earlier generations with something under way. */
  readonly #retired = new Set<Gateway>();
  #gateway: Gateway | undefined;
  #open: ReadonlyMap<string, OpenListener> = new Map();
  /** Listeners that are not in the config any more, until WebSockets on them have left: some may come back. */
  readonly #leaving = new Map<string, Leaving>();
  /** Those of them that are being closed. */
  readonly #closing = new Set<{ key: string; done: Promise<void> }>();
  /** The generation that is being built. */
  #next: Gateway | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(runtime: Runtime, options: StartOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  get gateway(): Gateway {
    return this.#gateway as Gateway;
  }

  get addresses(): readonly Deno.NetAddr[] {
    return this.gateway.listeners.map(({ key }) => (this.#open.get(key) as OpenListener).address);
  }

  reload(config: Config): Promise<void> {
    const reloaded = this.#reloading.then(() => this.#reload(config));
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  async changeMembers(change: MemberChange): Promise<void> {
    this.gateway.changeMembers(change);
  }

  rebalance(): void {
    for (const site of this.gateway.sites) {
      for (const pool of site.pools.values()) pool.update(pool.upstreams);
    }
  }

  turnUnready(): void {
    this.#runtime.stopping = true;
  }

  async stop(): Promise<number> {
    this.#stopping = true;
    const gateways = () => [...this.#retired, this.gateway];
    const timeoutMs = this.gateway.config.server.shutdown_timeout;
    // First the WebSockets, while the ports are open still: the runtime's shutdown would close them at once.
    const shutdowns = this.#runtime.sockets.drain().then(() => {
      for (const [key, listener] of this.#open) this.#close(key, listener);
      for (const [key, { listener }] of this.#leaving) this.#close(key, listener);
      return Promise.all([...this.#closing].map(({ done }) => done));
    });
    let cut = 0;
    if (!await settledWithin(shutdowns, timeoutMs)) {
      cut = gateways().reduce((sum, gateway) => sum + gateway.underWay, 0);
      for (const gateway of gateways()) gateway.destroy();
      // What was cut is answered with an error, if its client takes it; one that takes nothing is not waited for.
      await settledWithin(shutdowns, 1000);
    }
    for (const gateway of gateways()) gateway.close();
    this.#runtime.close();
    return cut;
  }

  async #reload(config: Config): Promise<void> {
    this.#refuseWhileStopping();
    const gateway = this.#next = new Gateway(config, { ...this.#options, runtime: this.#runtime });
    const added = new Map<string, OpenListener>();
    try {
      await gateway.ready;
      const missing = ({ key }: GatewayListener) => !this.#open.has(key) && !this.#leaving.has(key) && !added.has(key);
      // Looked for anew each time: one that was leaving may have left.
      for (let next; (next = gateway.listeners.find(missing)) !== undefined;) {
        added.set(next.key, await this.#openPort(gateway, next));
      }
      this.#refuseWhileStopping();
    } catch (error) {
      await Promise.all([...added.values()].map((listener) => listener.shutdown()));
      gateway.close();
      this.#gateway?.activate();
      throw error;
    } finally {
      this.#next = undefined;
    }
    this.#swap(gateway, added);
  }

  #refuseWhileStopping(): void {
    if (this.#stopping) throw new Error("Cannot put another config in place: the server is stopping");
  }

  async #openPort(gateway: Gateway, listener: GatewayListener): Promise<OpenListener> {
    const { listen } = this.#options;
    const options = listen === undefined ? { shared: gateway.config.server.reuse_port } : listen(listener.key);
    for (let tries = 0;; tries++) {
      try {
        return OpenListener.open(gateway, listener, options);
      } catch (error) {
        // The runtime lets go of a port some time after it was told to.
        const own = [...this.#closing].some(({ key }) => key === listener.key);
        if (!own || tries === MOST_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  }

  // In one step: nothing in here waits.
  #swap(gateway: Gateway, added: ReadonlyMap<string, OpenListener>): void {
    const before = this.#gateway;
    const open = new Map<string, OpenListener>();
    for (const listener of gateway.listeners) {
      const kept = this.#open.get(listener.key) ?? this.#leaving.get(listener.key)?.listener;
      kept?.serve(gateway, listener);
      this.#leaving.delete(listener.key);
      open.set(listener.key, kept ?? added.get(listener.key) as OpenListener);
    }
    for (const [key, listener] of this.#open) if (!open.has(key)) this.#leaving.set(key, { listener });
    this.#open = open;
    this.#gateway = gateway;
    gateway.activate();
    if (before !== undefined) this.#retire(before);
    const left = this.#runtime.sockets.sendAway(
      (place) => gateway.keeps(place),
      gateway.config.server.stream_close_delay,
    );
    // Not before: the runtime's shutdown would cut WebSockets that have time left.
    const leaving = [...this.#leaving];
    left.then(() => {
      // One that came back meanwhile, and left again, waits for others.
      for (const [key, one] of leaving) if (this.#leaving.get(key) === one) this.#close(key, one.listener);
    });
  }

  #close(key: string, listener: OpenListener): void {
    this.#leaving.delete(key);
    const done = listener.shutdown().then(() => {
      this.#closing.delete(closing);
    });
    const closing = { key, done };
    this.#closing.add(closing);
  }

  #retire(gateway: Gateway): void {
    this.#retired.add(gateway);
    gateway.retire().then(() => {
      this.#retired.delete(gateway);
      const alive = [this.gateway, ...this.#retired, ...this.#next === undefined ? [] : [this.#next]];
      this.#runtime.ledger.retain(new Set(alive.flatMap(({ cellNames }) => [...cellNames])));
    });
  }
}

interface Leaving {
  readonly listener: OpenListener;
}

/** How often a port is asked for that this process is about to let go, 2 ms apart. */
const MOST_TRIES = 100;

async function settledWithin(promise: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), timeoutMs));
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
