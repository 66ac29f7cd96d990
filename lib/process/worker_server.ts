/**
 * A server of several threads: workers, which share the ports, and a supervisor, which serves no requests but probes
 * upstreams, looks up names, writes the log and replaces workers that end. Counts are in memory that all threads share.
 *
 * @module
 */

import type { Config } from "../generation/config/config_types.ts";
import { Generation, type GenerationOptions } from "../generation/generation.ts";
import { DnsAddresses } from "../upstream/discovery/dns_addresses.ts";
import { ProcessState } from "../generation/process_state.ts";
import type { MemberChange } from "../generation/pools/pool_members.ts";
import type { PortStatus } from "../listener/port.ts";
import { RelayedAddresses } from "../upstream/discovery/supervisor_addresses.ts";
import type { Log, OutputName } from "../log/log.ts";
import { SharedMemoryState } from "../state/shared_memory_state.ts";
import { sharedTime } from "../state/shared_time.ts";
import { clearWorkerInFlight, IN_FLIGHT_FIELDS } from "../features/rate_limit/in_flight_store.ts";
import { clearWorkerCounts } from "../upstream/condition/condition_fields.ts";
import { UPSTREAM_FIELDS } from "../generation/pools/upstream_factory.ts";
import { CertificateWatch } from "./certificate_watch.ts";
import { checkPort, logPortChange } from "./listener.ts";
import { listenerKind } from "../listener/listener_choice.ts";
import type { RunningServer } from "./server.ts";
import { chooseSockets, type SocketChoice } from "./socket_choice.ts";
import { WorkerPorts } from "./worker_ports.ts";
import { WorkerThread } from "./worker_thread.ts";
import type { GenerationMessage, SupervisorMessage } from "./worker_message.ts";

/** Options of {@linkcode startWorkers}. */
export interface WorkerServerOptions extends Pick<GenerationOptions, "log" | "onFailure"> {
  /** The number of workers, 1 or more. */
  readonly workers: number;
  /**
   * Writes log lines of workers; always whole lines.
   *
   * @default {they are dropped}
   */
  readonly writeLog?: (bytes: Uint8Array, name?: OutputName) => void;
  /**
   * The module that workers run: `worker_main.ts`, or one that imports it.
   *
   * @default {worker_main.ts}
   */
  readonly module?: URL;
  /**
   * Time without a message after which a worker is replaced, in milliseconds. Each worker sends one every second.
   *
   * @default {30000}
   */
  readonly silenceMs?: number;
}

/** A server of several threads. */
export interface RunningWorkers extends RunningServer {
  /** Workers by index; undefined where one is being replaced. */
  readonly workers: readonly (WorkerThread | undefined)[];
  /** Number of restarts of each worker, by index. */
  readonly restarts: readonly number[];
}

/** The shortest and the longest pause before a worker that ended is replaced. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** Time after `shutdown_timeout` before a worker that has not stopped is terminated. */
const STUCK_AFTER_MS = 5000;
/** Interval of the check for workers that send no messages. */
const WATCH_MS = 1000;
const SILENCE_MS = 30_000;

/**
 * Starts workers and waits until all of them serve.
 *
 * @throws {ListenError} When a port cannot be opened.
 * @throws {Error} When a file that the config names cannot be read.
 */
export async function startWorkers(config: Config, options: WorkerServerOptions): Promise<RunningWorkers> {
  // Each thread chooses for itself, with the same result unless resources run out.
  const server = new WorkerServer(config, options, await chooseSockets(config.server, options.log));
  try {
    await server.start(config);
    return server;
  } catch (error) {
    server.abandon();
    throw error;
  }
}

class WorkerServer implements RunningWorkers {
  readonly socketChoice: SocketChoice;
  readonly #options: WorkerServerOptions;
  readonly #log: Log | undefined;
  readonly #sharedState: SharedMemoryState;
  readonly #names: RelayedAddresses;
  readonly #processState: ProcessState;
  readonly #workers: (WorkerThread | undefined)[];
  readonly #failures: number[];
  readonly #restarts: number[];
  readonly #pauses = new Set<ReturnType<typeof setTimeout>>();
  #generation: Generation | undefined;
  #ports = new Map<string, Deno.NetAddr>();
  readonly #portStatus: WorkerPorts;
  readonly #certificates: CertificateWatch;
  readonly #watch: ReturnType<typeof setInterval>;
  /** The worker that is being stopped because its heap is nearly full: one at a time. */
  #renewed: WorkerThread | undefined;
  #stopping = false;
  #reloading: Promise<void> = Promise.resolve();

  constructor(config: Config, options: WorkerServerOptions, socketChoice: SocketChoice) {
    this.#options = options;
    this.socketChoice = socketChoice;
    this.#log = options.log;
    sharedTime.refresh();
    // The supervisor has an index of its own after those of the workers, since it counts too.
    const place = { index: options.workers, count: options.workers + 1 };
    const sharedState = this.#sharedState = new SharedMemoryState(place);
    this.#names = new RelayedAddresses(new DnsAddresses(options.log, config.server.name_servers));
    this.#processState = new ProcessState({
      log: options.log,
      sharedState,
      metricFields: (count, name) => sharedState.takeMetricFields(count, name),
      worker: place,
      addresses: this.#names,
      issuesCertificates: true,
    });
    const { certificateService } = this.#processState;
    if (certificateService !== undefined) {
      certificateService.onChange = (changed) => this.#postAll({ kind: "certificate", changed });
    }
    this.#workers = Array.from({ length: options.workers }, () => undefined);
    this.#portStatus = new WorkerPorts(
      listenerKind(config.server),
      (now, before) => logPortChange(options.log, now, before),
    );
    this.#failures = Array.from({ length: options.workers }, () => 0);
    this.#restarts = Array.from({ length: options.workers }, () => 0);
    this.#watch = setInterval(() => {
      for (const worker of this.#workers) worker?.watch(WATCH_MS);
    }, WATCH_MS);
    const { certificateFiles: reader } = this.#processState;
    this.#certificates = new CertificateWatch({
      ...{ reader, log: options.log, listeners: () => this.#generation?.listeners ?? [] },
      onChange: () => this.#postAll({ kind: "certificate_files", contents: reader.contents }),
    });
    this.#names.onFound = (found) => this.#postAll({ kind: "addresses", found, table: sharedState.table });
  }

  get generation(): Generation {
    return this.#generation as Generation;
  }

  get addresses(): readonly Deno.NetAddr[] {
    return this.generation.listeners.map(({ key }) => this.#ports.get(key) as Deno.NetAddr);
  }

  get ports(): readonly PortStatus[] {
    return this.generation.listeners.map(({ key }) =>
      this.#portStatus.status(key, this.#ports.get(key) as Deno.NetAddr)
    );
  }

  get workers(): readonly (WorkerThread | undefined)[] {
    return this.#workers;
  }

  get restarts(): readonly number[] {
    return this.#restarts;
  }

  async start(config: Config): Promise<void> {
    const generation = await this.#build(config);
    this.#generation = generation;
    const message = () => this.#messageOf(config);
    if (!config.server.reuse_port) { for (const listener of generation.listeners) checkPort(listener); }
    // The first worker chooses a number for each port 0; the others use the same.
    await this.#startWorker(0, message());
    await Promise.all(this.#workers.slice(1).map((_, index) => this.#startWorker(index + 1, message())));
    generation.activate();
    this.#certificates.update();
  }

  rebalance(): void {
    this.#postAll({ kind: "rebalance" });
  }

  changeMembers(change: MemberChange): Promise<void> {
    // After a reload that is under way, so that all workers have the same generation. This thread first, since it allots the
    // memory.
    const changed = this.#reloading.then(() => {
      this.generation.changeMembers(change);
      this.#postAll({ kind: "members", change, table: this.#sharedState.table });
    });
    this.#reloading = changed.catch(() => {});
    return changed;
  }

  reload(config: Config): Promise<void> {
    const reloaded = this.#reloading.then(() => this.#reload(config));
    this.#reloading = reloaded.catch(() => {});
    return reloaded;
  }

  releaseIdle(clients: boolean): void {
    this.#postAll({ kind: "release", clients });
  }

  turnUnready(): void {
    this.#processState.stopping = true;
    this.#postAll({ kind: "unready" });
  }

  async stop(): Promise<number> {
    this.#stopping = true;
    // A worker that is stuck would never respond.
    const stuck = setTimeout(() => {
      for (const worker of this.#workers) worker?.terminate();
    }, this.generation.config.server.shutdown_timeout + STUCK_AFTER_MS);
    const cuts = await Promise.all(this.#workers.map((worker) => worker?.stop() ?? 0));
    clearTimeout(stuck);
    this.abandon();
    return cuts.reduce((sum, cut) => sum + cut, 0);
  }

  abandon(): void {
    this.#stopping = true;
    clearInterval(this.#watch);
    this.#certificates.close();
    for (const pause of this.#pauses) clearTimeout(pause);
    for (const worker of this.#workers) worker?.terminate();
    this.#generation?.close();
    this.#processState.close();
  }

  async #build(config: Config): Promise<Generation> {
    const generation = new Generation(config, { log: this.#log, processState: this.#processState });
    generation.metrics?.worker.publish();
    await generation.ready;
    return generation;
  }

  async #reload(config: Config): Promise<void> {
    const before = this.generation;
    this.#certificates.refresh();
    const generation = await this.#build(config);
    if (this.#stopping) {
      generation.close();
      throw new Error("Cannot put another config in place: the server is stopping");
    }
    const serving = this.#workers.filter((worker) => worker !== undefined).filter(({ state }) => state !== "draining");
    const moved: WorkerThread[] = [];
    const move = async (worker: WorkerThread, alone: boolean) => {
      try {
        this.#learn(await worker.reload(this.#messageOf(config)));
        moved.push(worker);
      } catch (error) {
        // A worker that has ended does not fail the reload: the one that replaces it starts with the active config.
        if (alone || worker.state !== "ended" || this.#stopping) throw error;
      }
    };
    try {
      // One worker first, to find out whether the ports can be opened. If another worker then fails, all are moved back.
      while (moved.length === 0 && serving.length > 0) {
        await move(serving.shift() as WorkerThread, serving.length === 0);
      }
      const outcomes = await Promise.allSettled(serving.map((worker) => move(worker, false)));
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    } catch (error) {
      generation.close();
      const old = this.#messageOf(before.config, before.memberChanges);
      await Promise.allSettled(moved.map((worker) => worker.reload(old)));
      this.#forgetPorts();
      throw error;
    }
    this.#generation = generation;
    generation.activate();
    this.#certificates.update();
    await before.retire();
    this.#forgetPorts();
  }

  #messageOf(config: Config, changes: readonly MemberChange[] = []): GenerationMessage {
    const ports = new Map([...this.#ports].map(([key, { port }]) => [key, port]));
    const { certificates: { all: certificates }, certificateFiles: { contents: certificateFiles } } =
      this.#processState;
    const { table } = this.#sharedState;
    return { config, table, found: this.#names.known, ports, certificates, certificateFiles, changes };
  }

  #learn(addresses: ReadonlyMap<string, Deno.NetAddr>): void {
    for (const [key, address] of addresses) this.#ports.set(key, address);
  }

  #forgetPorts(): void {
    const keys = new Set(this.generation.listeners.map(({ key }) => key));
    for (const key of this.#ports.keys()) if (!keys.has(key)) this.#ports.delete(key);
    this.#portStatus.retain(keys);
  }

  async #startWorker(index: number, message: GenerationMessage): Promise<void> {
    const worker = new WorkerThread({
      module: this.#options.module ?? new URL("./worker_main.ts", import.meta.url),
      silenceMs: this.#options.silenceMs ?? SILENCE_MS,
      writeLog: this.#options.writeLog ?? (() => {}),
      onFailure: this.#options.onFailure,
      // File handles belong to the process, so all workers close idle connections.
      onHandlesOut: (again) => this.releaseIdle(again),
      onHeapFull: () => this.#renew(index, worker),
      obtain: (name) => this.#processState.certificates.obtain(name),
      onPort: (key, status) => this.#portStatus.change(index, key, status),
      onEnd: (reason) => this.#ended(index, worker, reason),
    });
    this.#workers[index] = worker;
    const place = { index, count: this.#options.workers + 1 };
    const { secret } = this.#processState;
    // Cleared again: the worker before may have counted for a moment while it was terminated.
    this.#clearCounts(index);
    this.#learn(
      await worker.start({
        generation: message,
        place,
        secret,
        time: sharedTime.snapshot,
        driver: this.socketChoice.driver,
      }),
    );
  }

  // Clears the counts of the worker and starts another after a pause.
  #ended(index: number, worker: WorkerThread, reason: string): void {
    if (this.#stopping || this.#workers[index] !== worker) return;
    this.#workers[index] = undefined;
    this.#clearCounts(index);
    if (worker.servedMs > LONGEST_PAUSE_MS) this.#failures[index] = 0;
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures[index]++, LONGEST_PAUSE_MS);
    const level = worker === this.#renewed ? "warn" : "error";
    this.#log?.log(level, "worker ended", { worker: index, reason, replaced_in_ms: pauseMs });
    const pause = setTimeout(() => {
      this.#pauses.delete(pause);
      this.#reloading = this.#reloading.then(() => this.#replace(index)).then(() => {
        if (this.#renewed === worker) this.#renewed = undefined;
      });
    }, pauseMs);
    this.#pauses.add(pause);
  }

  // Stops a worker gracefully and starts another, while the others serve. Not both at a time: they would count in the same
  // memory. After a reload that is under way, which moves all workers that serve.
  #renew(index: number, worker: WorkerThread): void {
    const othersServe = this.#workers.some((other) => other !== worker && other?.state === "serving");
    if (!othersServe || this.#renewed !== undefined || this.#processState.stopping) return;
    this.#renewed = worker;
    this.#reloading = this.#reloading.then(() => {
      if (this.#stopping || this.#workers[index] !== worker || worker.state !== "serving") {
        this.#renewed = undefined;
        return;
      }
      this.#log?.log("warn", "worker ends in order, as its heap is nearly full", { worker: index });
      // If the worker crashes meanwhile, `onEnd` has been called before, and this call has no effect.
      worker.stop().then(() => this.#ended(index, worker, "Its heap was nearly full"));
    });
  }

  // Including upstreams that are no longer in any pool: they may be added again.
  #clearCounts(index: number): void {
    for (const fields of this.#sharedState.fieldsBelow(UPSTREAM_FIELDS)) clearWorkerCounts(fields, index);
    const worker = { index, count: this.#options.workers + 1 };
    for (const fields of this.#sharedState.fieldsBelow(IN_FLIGHT_FIELDS)) clearWorkerInFlight(fields, worker);
    this.#processState.metrics.clearWorker(index);
    this.#processState.failedPorts.all[index].fill(0);
    this.#portStatus.forget(index);
  }

  async #replace(index: number): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.#startWorker(index, this.#messageOf(this.generation.config, this.generation.memberChanges));
      this.#restarts[index]++;
      if (this.#processState.stopping) this.#workers[index]?.post({ kind: "unready" });
      this.#log?.log("info", "worker replaced", { worker: index });
    } catch (error) {
      // Before `terminate`, so that this reason is logged.
      const worker = this.#workers[index];
      if (worker !== undefined) this.#ended(index, worker, error instanceof Error ? error.message : String(error));
      worker?.terminate();
    }
  }

  #postAll(message: SupervisorMessage): void {
    for (const worker of this.#workers) worker?.post(message);
  }
}
