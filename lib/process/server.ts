/**
 * The running program in one thread: a generation, its open ports, their change and their orderly end.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";
import { Generation, type GenerationListener, type GenerationOptions } from "../generation/generation.ts";
import type { MemberChange } from "../generation/pools/pool_members.ts";
import { ProcessState } from "../generation/process_state.ts";
import type { PortStatus } from "../listener/runtime/serving_port.ts";
import { settledWithin } from "../state/settled_within.ts";
import { loadMiddleware } from "./load_middleware.ts";
import { type ListenOptions, logPortChange, OpenListener } from "./listener.ts";

/** A server that runs. */
export interface RunningServer {
  /** Its generation. */
  readonly generation: Generation;
  /** Where it listens, in the order of `generation.listeners`. */
  readonly addresses: readonly Deno.NetAddr[];
  /** Whether those ports are open, in the same order. */
  readonly ports: readonly PortStatus[];
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
  /**
   * Closes connections to upstreams that idle, as file handles have run out; of clients too, where `clients` says so, for
   * which open ports are closed for a moment.
   */
  releaseIdle(clients: boolean): void;
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
export interface StartOptions extends GenerationOptions {
  /**
   * How ports are opened, by their listener's {@linkcode GenerationListener.key}.
   *
   * @default {as `server.reuse_port` says}
   */
  readonly listen?: (key: string) => Pick<ListenOptions, "shared" | "port">;
  /**
   * Told that a port closed unasked, or is open again.
   *
   * @default {it is logged}
   */
  readonly onPort?: (key: string, now: PortStatus, before: PortStatus) => void;
  /**
   * Told that file handles have run out; `again` when that has just happened before.
   *
   * @default {idle connections are closed; those of clients too when it happens again}
   */
  readonly onHandlesOut?: (again: boolean) => void;
}

/**
 * Builds a generation and opens its ports: all of them or none.
 *
 * @throws {ListenError} When a port cannot be opened.
 * @throws {Error} When a file that the config names cannot be read.
 */
export async function startServer(config: Config, options: StartOptions = {}): Promise<RunningServer> {
  const processState = options.processState ??
    new ProcessState({ log: options.log, nameServers: config.server.name_servers });
  const server = new Server(processState, options);
  try {
    await server.reload(config);
    return server;
  } catch (error) {
    if (options.processState === undefined) processState.close();
    throw error;
  }
}

class Server implements RunningServer {
  readonly #processState: ProcessState;
  readonly #options: StartOptions;
  /** Earlier generations with something under way. */
  readonly #retired = new Set<Generation>();
  #generation: Generation | undefined;
  #open: ReadonlyMap<string, OpenListener> = new Map();
  /** Listeners that are not in the config any more, until WebSockets on them have left: some may come back. */
  readonly #leaving = new Map<string, Leaving>();
  /** Those of them that are being closed. */
  readonly #closing = new Set<{ key: string; done: Promise<void> }>();
  /** The generation that is being built. */
  #next: Generation | undefined;
  #reloading: Promise<void> = Promise.resolve();
  #stopping = false;
  #stopped = false;

  constructor(processState: ProcessState, options: StartOptions) {
    this.#processState = processState;
    this.#options = options;
  }

  get generation(): Generation {
    return this.#generation as Generation;
  }

  get addresses(): readonly Deno.NetAddr[] {
    return this.generation.listeners.map(({ key }) => (this.#open.get(key) as OpenListener).address);
  }

  get ports(): readonly PortStatus[] {
    return this.generation.listeners.map(({ key }) => (this.#open.get(key) as OpenListener).status);
  }

  reload(config: Config): Promise<void> {
    const reloaded = this.#reloading.then(() => this.#reload(config));
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  async changeMembers(change: MemberChange): Promise<void> {
    this.generation.changeMembers(change);
  }

  rebalance(): void {
    for (const site of this.generation.sites) {
      for (const pool of site.pools.values()) pool.update(pool.upstreams);
    }
  }

  releaseIdle(clients: boolean): void {
    for (const generation of [this.generation, ...this.#retired]) generation.releaseIdle();
    if (!clients) return;
    const leaving = [...this.#leaving.values()].map(({ listener }) => listener);
    for (const listener of [...this.#open.values(), ...leaving]) listener.closeIdle();
  }

  turnUnready(): void {
    this.#processState.stopping = true;
  }

  async stop(): Promise<number> {
    this.#stopping = true;
    const generations = () => [...this.#retired, this.generation];
    const timeoutMs = this.generation.config.server.shutdown_timeout;
    // First the WebSockets, while the ports are open still: the runtime's shutdown would close them at once.
    const listeners = [...this.#open.values(), ...[...this.#leaving.values()].map(({ listener }) => listener)];
    let closed: Promise<unknown> | undefined;
    const close = () => {
      if (closed !== undefined) return closed;
      for (const [key, listener] of this.#open) this.#close(key, listener);
      for (const [key, { listener }] of this.#leaving) this.#close(key, listener);
      return closed = Promise.all([...this.#closing].map(({ done }) => done));
    };
    // And uploads: it would break them.
    const shutdowns = this.#processState.sockets.drain()
      .then(() => Promise.all(listeners.map((listener) => listener.uploadsEnded()))).then(close);
    let cut = 0;
    const settled = Promise.race([shutdowns, this.#waitForUnopenedSockets(() => closed)]);
    if (!await settledWithin(settled, timeoutMs)) {
      cut = generations().reduce((sum, generation) => sum + generation.underWay, 0);
      for (const generation of generations()) generation.destroy();
      // What was cut is answered with an error, if its client takes it; one that takes nothing is not waited for.
      await settledWithin(close(), 1000);
    }
    this.#stopped = true;
    for (const generation of generations()) generation.close();
    this.#processState.close();
    return cut;
  }

  // Whether all that the runtime's shutdown waits for are WebSockets that never opened. Settles when that is certain enough.
  async #waitForUnopenedSockets(closing: () => Promise<unknown> | undefined): Promise<void> {
    const { sockets } = this.#processState;
    for (let quietMs = 0; quietMs < UNOPENED_MS && !this.#stopped; quietMs += 100) {
      await new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, 100) as unknown as number));
      const idle = sockets.size === 0 && [...this.#retired, this.generation].every(({ underWay }) => underWay === 0);
      if (closing() === undefined || sockets.neverOpened === 0 || !idle) quietMs = -100;
    }
  }

  async #reload(config: Config): Promise<void> {
    this.#refuseWhileStopping();
    const middleware = await loadMiddleware(config.server.middleware);
    this.#refuseWhileStopping();
    const generation = this.#next = new Generation(config, {
      ...this.#options,
      middleware,
      processState: this.#processState,
    });
    const added = new Map<string, OpenListener>();
    try {
      await generation.ready;
      const missing = ({ key }: GenerationListener) =>
        !this.#open.has(key) && !this.#leaving.has(key) && !added.has(key);
      // Looked for anew each time: one that was leaving may have left.
      for (let next; (next = generation.listeners.find(missing)) !== undefined;) {
        added.set(next.key, await this.#openPort(generation, next));
      }
      this.#refuseWhileStopping();
    } catch (error) {
      await Promise.all([...added.values()].map((listener) => listener.shutdown()));
      generation.close();
      this.#generation?.activate();
      throw error;
    } finally {
      this.#next = undefined;
    }
    this.#swap(generation, added);
  }

  #refuseWhileStopping(): void {
    if (this.#stopping) throw new Error("Cannot put another config in place: the server is stopping");
  }

  async #openPort(generation: Generation, listener: GenerationListener): Promise<OpenListener> {
    const { listen } = this.#options;
    const { key } = listener;
    const options: ListenOptions = {
      ...(listen === undefined ? { shared: generation.config.server.reuse_port } : listen(key)),
      onHandlesOut: this.#options.onHandlesOut ?? ((again) => this.releaseIdle(again)),
      onChange: (now, before) => this.#portChanged(key, now, before),
    };
    for (let tries = 0;; tries++) {
      try {
        return OpenListener.open(listener, options);
      } catch (error) {
        // The runtime lets go of a port some time after it was told to.
        const own = [...this.#closing].some((closing) => closing.key === key);
        if (!own || tries === MOST_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  }

  #portChanged(key: string, now: PortStatus, before: PortStatus): void {
    this.#countClosedPorts();
    const { onPort, log } = this.#options;
    if (onPort === undefined) logPortChange(log, now, before);
    else onPort(key, now, before);
  }

  // Ports that the config has no more do not count.
  #countClosedPorts(): void {
    this.#processState.closedPorts.own[0] = [...this.#open.values()].filter(({ status }) => !status.open).length;
  }

  // In one step: nothing in here waits.
  #swap(generation: Generation, added: ReadonlyMap<string, OpenListener>): void {
    const before = this.#generation;
    const open = new Map<string, OpenListener>();
    for (const listener of generation.listeners) {
      const kept = this.#open.get(listener.key) ?? this.#leaving.get(listener.key)?.listener;
      kept?.serve(listener);
      this.#leaving.delete(listener.key);
      open.set(listener.key, kept ?? added.get(listener.key) as OpenListener);
    }
    for (const [key, listener] of this.#open) if (!open.has(key)) this.#leaving.set(key, { listener });
    this.#open = open;
    this.#countClosedPorts();
    this.#generation = generation;
    generation.activate();
    if (before !== undefined) this.#retire(before);
    const left = this.#processState.sockets.closeUnrouted(
      (binding) => generation.stillRouted(binding),
      generation.config.server.stream_close_delay,
    );
    // Not before: the runtime's shutdown would cut WebSockets that have time left, and uploads.
    const { shutdown_timeout, stream_close_delay } = generation.config.server;
    for (const [key, one] of [...this.#leaving]) {
      const ended = Promise.all([left, one.listener.uploadsEnded()]);
      // Uploads that are still arriving then are cut.
      settledWithin(ended, stream_close_delay + shutdown_timeout).then(() => {
        // One that came back meanwhile, and left again, waits for others.
        if (this.#leaving.get(key) === one) this.#close(key, one.listener);
      });
    }
  }

  #close(key: string, listener: OpenListener): void {
    this.#leaving.delete(key);
    const done = listener.shutdown().then(() => {
      this.#closing.delete(closing);
    });
    const closing = { key, done };
    this.#closing.add(closing);
  }

  #retire(generation: Generation): void {
    this.#retired.add(generation);
    generation.retire().then(() => {
      this.#retired.delete(generation);
      const alive = [this.generation, ...this.#retired, ...this.#next === undefined ? [] : [this.#next]];
      this.#processState.sharedState.retain(new Set(alive.flatMap(({ fieldNames }) => [...fieldNames])));
    });
  }
}

interface Leaving {
  readonly listener: OpenListener;
}

/** How long nothing must have been under way: clients may still be taking the end of an answer. */
const UNOPENED_MS = 2000;

/** How often a port is asked for that this process is about to let go, 2 ms apart. */
const MOST_TRIES = 100;
