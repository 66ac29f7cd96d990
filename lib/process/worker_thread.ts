/**
 * One worker, as its supervisor sees it.
 *
 * @module
 */

import { ListenError } from "./listener.ts";
import type { PortStatus } from "../listener/runtime/serving_port.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { GenerationMessage, SupervisorMessage, WorkerMessage } from "./worker_message.ts";

/** What a worker runs, and who handles its messages. */
export interface WorkerThreadOptions {
  /** The module that it runs. */
  readonly module: URL;
  /** How long it may send no message before it counts as stuck, in milliseconds. */
  readonly silenceMs: number;
  /** Writes lines of the log. */
  readonly writeLog: (bytes: Uint8Array) => void;
  /** Called with each exchange that failed. */
  readonly onFailure?: (failure: FailureReport) => void;
  /** Called when the runtime closed a port of the worker, and when the port is open again. */
  readonly onPort: (key: string, status: PortStatus) => void;
  /** Called when file handles have run out; `again` tells that they did a moment before, too. */
  readonly onHandlesOut: (again: boolean) => void;
  /** Called each second in which the worker's heap is nearly full. */
  readonly onHeapFull: () => void;
  /** Called once when the worker ends without {@linkcode WorkerThread.stop}. */
  readonly onEnd: (reason: string) => void;
}

/** A worker. Owned by its supervisor. */
export class WorkerThread {
  /** Exchanges under way, as of its last message. */
  underWay = 0;
  /** Exchanges that have ended in its present generation, as of its last message. */
  ended = 0;
  /** Open WebSockets, as of its last message. */
  sockets = 0;
  readonly #worker: Worker;
  readonly #options: WorkerThreadOptions;
  readonly #startedMs = performance.now();
  #response: PromiseWithResolvers<ReadonlyMap<string, Deno.NetAddr>> | undefined;
  #stopped: PromiseWithResolvers<number> | undefined;
  #silentMs = 0;
  #ended = false;
  #serves = false;

  /** Starts its thread, which serves nothing before {@linkcode WorkerThread.start}. */
  constructor(options: WorkerThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.module.href, { type: "module", name: "bws" });
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      this.#silentMs = 0;
      this.#onMessage(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(event.message);
    };
    this.#worker.onmessageerror = () => this.#end("It sent a message that cannot be read");
  }

  /** Whether it serves. */
  get state(): "starting" | "serving" | "draining" | "ended" {
    if (this.#ended) return "ended";
    return this.#stopped !== undefined ? "draining" : this.#serves ? "serving" : "starting";
  }

  /** Time since its thread was started, in milliseconds. */
  get servedMs(): number {
    return performance.now() - this.#startedMs;
  }

  /**
   * Makes it serve.
   *
   * @returns Where it listens, by the key of the listener.
   * @throws {ListenError} When a port cannot be opened.
   */
  start(message: Omit<SupervisorMessage & { kind: "start" }, "kind">): Promise<ReadonlyMap<string, Deno.NetAddr>> {
    return this.#request({ kind: "start", ...message });
  }

  /** Puts another config in place; as {@linkcode start}. */
  reload(generation: GenerationMessage): Promise<ReadonlyMap<string, Deno.NetAddr>> {
    return this.#request({ kind: "reload", generation });
  }

  /** Sends a message that has no response. */
  post(message: SupervisorMessage): void {
    if (!this.#ended) this.#worker.postMessage(message);
  }

  /**
   * Ends the worker if it has sent no message for long: its thread has ended, of which the runtime does not tell, or is stuck.
   * The runtime ends one that runs an endless loop only when that is over; its connections hang until then.
   *
   * @param passedMs Time since the last call. What counts are turns of the supervisor: a process that was stopped for a
   *   while has no silent workers.
   */
  watch(passedMs: number): void {
    if (this.#ended || (this.#silentMs += passedMs) <= this.#options.silenceMs) return;
    this.#end(`It has said nothing for ${this.#options.silenceMs / 1000} s`);
  }

  /** Stops it in order. Resolves with how many exchanges were cut. */
  stop(): Promise<number> {
    if (this.#ended) return Promise.resolve(0);
    if (this.#stopped !== undefined) return this.#stopped.promise;
    this.#stopped = Promise.withResolvers();
    this.post({ kind: "stop" });
    return this.#stopped.promise;
  }

  /** Ends it at once, with all exchanges under way. */
  terminate(): void {
    this.#worker.terminate();
    this.#end("It was terminated");
  }

  #request(message: SupervisorMessage): Promise<ReadonlyMap<string, Deno.NetAddr>> {
    const response = this.#response = Promise.withResolvers();
    if (this.#ended) response.reject(new Error("The worker has ended"));
    else this.post(message);
    return response.promise;
  }

  #onMessage(message: WorkerMessage): void {
    switch (message.kind) {
      case "ready":
        this.#serves = true;
        this.#response?.resolve(message.addresses);
        break;
      case "failed":
        this.#response?.reject(message.listening ? new ListenError(message.message) : new Error(message.message));
        break;
      case "port":
        this.#options.onPort(message.key, message.status);
        break;
      case "handles":
        this.#options.onHandlesOut(message.again);
        break;
      case "log":
        this.#options.writeLog(message.bytes);
        break;
      case "status":
        this.underWay = message.underWay;
        this.ended = message.ended;
        this.sockets = message.sockets;
        if (message.heapFull) this.#options.onHeapFull();
        break;
      case "failure":
        this.#options.onFailure?.(message.failure);
        break;
      case "stopped":
        this.#ended = true;
        this.#response?.reject(new Error("The worker has stopped"));
        this.#stopped?.resolve(message.cut);
    }
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#worker.terminate();
    this.#response?.reject(new Error(`The worker ended: ${reason}`));
    this.#stopped?.resolve(0);
    this.#options.onEnd(reason);
  }
}
