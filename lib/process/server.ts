/**
 * A server in one thread: its generation and its open ports, the reload of both, and the graceful stop.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";
import { Generation, type GenerationListener, type GenerationOptions } from "../generation/generation.ts";
import type { MemberChange } from "../generation/pools/pool_members.ts";
import { CLOSED, NOT_ACCEPTING, ProcessState } from "../generation/process_state.ts";
import { accepts, closeLongestIdle, type Port, type PortStatus } from "../listener/port.ts";
import { settledWithin } from "../state/settled_within.ts";
import { CertificateWatch } from "./certificate_watch.ts";
import { loadMiddleware } from "./load_middleware.ts";
import { type ListenOptions, logPortChange, openPort } from "./listener.ts";
import { OpenFileWatch } from "./open_file_watch.ts";
import { listenerKind } from "../listener/listener_choice.ts";
import { chooseSockets, flushSockets, type SocketChoice } from "./socket_choice.ts";

/** A running server. */
export interface RunningServer {
  /** The active generation. */
  readonly generation: Generation;
  /** The addresses on which it listens, in the order of `generation.listeners`. */
  readonly addresses: readonly Deno.NetAddr[];
  /** The socket driver of its threads. */
  readonly socketChoice: SocketChoice;
  /** The status of these ports, in the same order. */
  readonly ports: readonly PortStatus[];
  /**
   * Activates another config, in one step: exchanges under way end under the old one; ports whose address is unchanged stay
   * open; upstreams that remain keep their state. On failure nothing has changed.
   *
   * @throws {ListenError} When a new port cannot be opened.
   * @throws {Error} When a file that the config names cannot be read.
   */
  reload(config: Config): Promise<void>;
  /** Changes the members of a pool, until another config is activated; in workers within milliseconds. */
  changeMembers(change: MemberChange): Promise<void>;
  /** Makes policies read the weights of upstreams again. */
  rebalance(): void;
  /**
   * Closes idle connections to upstreams, because file handles have run out. With `clients` also those of clients, for which
   * the ports are closed for a moment.
   */
  releaseIdle(clients: boolean): void;
  /** Turns readiness off, so that a load balancer in front sends no more requests before the server stops. */
  turnUnready(): void;
  /**
   * Closes open WebSockets with 1001 after their `drain` time, stops accepting connections and waits for exchanges under
   * way, at most `shutdown_timeout` in all; the remaining exchanges are cut.
   *
   * @returns The number of exchanges that were cut.
   */
  stop(): Promise<number>;
}

/** Options of {@linkcode startServer}. */
export interface StartOptions extends GenerationOptions {
  /**
   * How ports are opened, by their listener's {@linkcode GenerationListener.key}.
   *
   * @default {shared if `server.reuse_port` is set}
   */
  readonly listen?: (key: string) => Pick<ListenOptions, "shared" | "port">;
  /**
   * The socket driver, if it is chosen already.
   *
   * @default {the driver that the config means here; it is logged}
   */
  readonly socketChoice?: SocketChoice;
  /**
   * Called when a port stops accepting connections, and when it accepts them again.
   *
   * @default {it is logged}
   */
  readonly onPort?: (key: string, now: PortStatus, before: PortStatus) => void;
  /**
   * Called when file handles have run out; `again` is true from the fourth time in a row on.
   *
   * @default {idle connections to upstreams are closed; with `again` those of clients, too}
   */
  readonly onHandlesOut?: (again: boolean) => void;
  /**
   * Whether certificate files are read again when they change.
   *
   * @default {true}
   */
  readonly watchesCertificates?: boolean;
}

/**
 * Builds a generation and opens its ports, all of them or none.
 *
 * @throws {ListenError} When a port cannot be opened.
 * @throws {Error} When a file that the config names cannot be read.
 */
export async function startServer(config: Config, options: StartOptions = {}): Promise<RunningServer> {
  const processState = options.processState ??
    new ProcessState({ log: options.log, nameServers: config.server.name_servers, issuesCertificates: true });
  const server = new Server(processState, {
    ...options,
    socketChoice: options.socketChoice ?? await chooseSockets(config.server, options.log),
  });
  try {
    await server.reload(config);
    return server;
  } catch (error) {
    server.abandon();
    if (options.processState === undefined) processState.close();
    throw error;
  }
}

class Server implements RunningServer {
  readonly #processState: ProcessState;
  readonly #options: StartOptions;
  /** Undefined in a worker, whose supervisor has one. */
  readonly #certificates: CertificateWatch | undefined;
  readonly socketChoice: SocketChoice;
  /** Earlier generations that still have exchanges under way. */
  readonly #retired = new Set<Generation>();
  #generation: Generation | undefined;
  #open: ReadonlyMap<string, Port> = new Map();
  /** Listeners that the config no longer has, kept open until their WebSockets have closed. A reload may bring them back. */
  readonly #leaving = new Map<string, Leaving>();
  /** Listeners that are being closed. */
  readonly #closing = new Set<{ key: string; port: Port; done: Promise<void> }>();
  /** The generation that is being built. */
  #next: Generation | undefined;
  #reloading: Promise<void> = Promise.resolve();
  readonly #openFiles: OpenFileWatch;
  #stopping = false;
  #stopped = false;

  constructor(processState: ProcessState, options: StartOptions & { readonly socketChoice: SocketChoice }) {
    this.#processState = processState;
    this.#options = options;
    this.socketChoice = options.socketChoice;
    if (options.watchesCertificates !== false) {
      const { certificateFiles: reader, log } = processState;
      this.#certificates = new CertificateWatch({ reader, log, listeners: () => this.#generation?.listeners ?? [] });
    }
    const { worker } = processState;
    this.#openFiles = new OpenFileWatch({
      close: (most) => closeLongestIdle(this.#ports(), most),
      onClosed: (facts) => options.log?.log("warn", "idle connections closed: near the limit of open files", facts),
      // The supervisor counts as one, and has no port.
      threads: Math.max(1, worker.count - 1),
    });
  }

  /** Ends what a server has that was not started. */
  abandon(): void {
    this.#certificates?.close();
    this.#openFiles.stop();
  }

  get generation(): Generation {
    return this.#generation as Generation;
  }

  get addresses(): readonly Deno.NetAddr[] {
    return this.generation.listeners.map(({ key }) => (this.#open.get(key) as Port).address);
  }

  get ports(): readonly PortStatus[] {
    return this.generation.listeners.map(({ key }) => (this.#open.get(key) as Port).status);
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
    if (clients) { for (const port of this.#ports()) port.closeIdle(); }
  }

  #ports(): Port[] {
    return [...this.#open.values(), ...[...this.#leaving.values()].map(({ listener }) => listener)];
  }

  turnUnready(): void {
    this.#processState.stopping = true;
  }

  async stop(): Promise<number> {
    this.#stopping = true;
    this.#certificates?.close();
    this.#openFiles.stop();
    const generations = () => [...this.#retired, this.generation];
    const timeoutMs = this.generation.config.server.shutdown_timeout;
    // Nothing is to be waited for before these close: their shutdown lets uploads and WebSockets end.
    for (const [key, port] of this.#open) if (port.shutdownWaits) this.#close(key, port);
    // WebSockets first, while the ports are still open: the runtime's shutdown would close them at once.
    const listeners = this.#ports();
    let closed: Promise<unknown> | undefined;
    const close = () => {
      if (closed !== undefined) return closed;
      for (const [key, port] of this.#open) if (!port.shutdownWaits) this.#close(key, port);
      for (const [key, { listener }] of this.#leaving) this.#close(key, listener);
      return closed = Promise.all([...this.#closing].map(({ done }) => done));
    };
    // Then uploads, which the runtime's shutdown would break.
    const shutdowns = this.#processState.sockets.drain()
      .then(() => Promise.all(listeners.map((listener) => listener.uploadsEnded()))).then(close);
    let cut = 0;
    const settled = Promise.race([shutdowns, this.#waitForUnopenedSockets(() => closed)]);
    if (!await settledWithin(settled, timeoutMs)) {
      cut = generations().reduce((sum, generation) => sum + generation.underWay, 0);
      for (const generation of generations()) generation.destroy();
      // An exchange that was cut gets an error response. A client that does not read it is not waited for.
      await settledWithin(close(), 1000);
      await Promise.all([...this.#closing].filter(({ port }) => port.shutdownWaits).map(({ port }) => port.abort()));
    }
    this.#stopped = true;
    for (const generation of generations()) generation.close();
    this.#processState.close();
    flushSockets(); // Whoever called this may end the process.
    return cut;
  }

  // Settles when the runtime's shutdown waits only for WebSockets that never opened, for which it would wait without end.
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
    if (this.#generation !== undefined) this.#certificates?.refresh();
    const generation = this.#next = new Generation(config, {
      ...this.#options,
      middleware,
      processState: this.#processState,
    });
    const added = new Map<string, Port>();
    try {
      await generation.ready;
      for (const { key, tls } of generation.listeners) if (tls !== undefined) this.#refuseRuntimePort(key);
      const missing = ({ key }: GenerationListener) =>
        !this.#open.has(key) && !this.#leaving.has(key) && !added.has(key);
      // Searched again each time: a leaving listener may have been closed during the await.
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

  #refuseRuntimePort(key: string): void {
    const status = (this.#open.get(key) ?? this.#leaving.get(key)?.listener)?.status;
    if (status?.listener !== "runtime") return;
    throw new Error(
      `Cannot put another config in place: it has TLS on port ${status.port}, which the runtime's server serves in ` +
        "cleartext until BWS is started again",
    );
  }

  async #openPort(generation: Generation, listener: GenerationListener): Promise<Port> {
    const { listen } = this.#options;
    const { key } = listener;
    const { server } = generation.config;
    const options: ListenOptions = {
      kind: listenerKind(server),
      ...(listen === undefined ? { shared: server.reuse_port } : listen(key)),
      ...{ metrics: listener.metrics, log: this.#options.log, clock: this.#processState.clock },
      ...{ mostHandles: this.#openFiles.mostOfClients, makeRoom: () => this.#openFiles.makeRoom() },
      onHandlesOut: this.#options.onHandlesOut ?? ((again) => this.releaseIdle(again)),
      onChange: (now, before) => this.#portChanged(key, now, before),
    };
    for (let tries = 0;; tries++) {
      try {
        return openPort(listener, options);
      } catch (error) {
        // The runtime closes a port some time after it was asked to.
        const own = [...this.#closing].some((closing) => closing.key === key);
        if (!own || tries === MOST_TRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  }

  #portChanged(key: string, now: PortStatus, before: PortStatus): void {
    this.#countPorts();
    const { onPort, log } = this.#options;
    if (onPort === undefined) logPortChange(log, now, before);
    else onPort(key, now, before);
  }

  // Ports that the config no longer has are not counted.
  #countPorts(): void {
    const { own } = this.#processState.failedPorts;
    const ports = [...this.#open.values()].map(({ status }) => status);
    own[CLOSED] = ports.filter(({ open }) => !open).length;
    own[NOT_ACCEPTING] = ports.filter((status) => status.open && !accepts(status)).length;
  }

  // Without an await, so that the change is one step.
  #swap(generation: Generation, added: ReadonlyMap<string, Port>): void {
    const before = this.#generation;
    const open = new Map<string, Port>();
    for (const listener of generation.listeners) {
      const kept = this.#open.get(listener.key) ?? this.#leaving.get(listener.key)?.listener;
      kept?.serve(listener);
      this.#leaving.delete(listener.key);
      open.set(listener.key, kept ?? added.get(listener.key) as Port);
    }
    for (const [key, listener] of this.#open) if (!open.has(key)) this.#leaving.set(key, { listener });
    this.#open = open;
    this.#countPorts();
    this.#generation = generation;
    generation.activate();
    this.#certificates?.update();
    if (before !== undefined) this.#retire(before);
    const left = this.#processState.sockets.closeUnrouted(
      (binding) => generation.stillRouted(binding),
      generation.config.server.stream_close_delay,
    );
    // Not before: the runtime's shutdown would cut WebSockets that have drain time left, and uploads.
    const { shutdown_timeout, stream_close_delay } = generation.config.server;
    for (const [key, one] of [...this.#leaving]) {
      const { listener } = one;
      if (listener.shutdownWaits) {
        this.#close(key, listener, stream_close_delay + shutdown_timeout);
        continue;
      }
      const ended = Promise.all([left, one.listener.uploadsEnded()]);
      // Uploads that have not ended by then are cut.
      settledWithin(ended, stream_close_delay + shutdown_timeout).then(() => {
        // A listener that a reload brought back and another one removed again has an entry of its own.
        if (this.#leaving.get(key) === one) this.#close(key, one.listener);
      });
    }
  }

  /** @param timeoutMs Time after which exchanges that have not ended are cut; without it they are waited for. */
  #close(key: string, port: Port, timeoutMs?: number): void {
    this.#leaving.delete(key);
    const ended = port.shutdown();
    const done = ended.then(() => {
      this.#closing.delete(closing);
    });
    const closing = { key, port, done };
    this.#closing.add(closing);
    if (timeoutMs === undefined) return;
    settledWithin(ended, timeoutMs).then((inTime) => inTime ? undefined : port.abort());
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
  readonly listener: Port;
}

/** How long nothing must have been under way: clients may still be reading the end of a response. */
const UNOPENED_MS = 2000;

/** Tries to open a port that this process is closing, 2 ms apart. */
const MOST_TRIES = 100;
