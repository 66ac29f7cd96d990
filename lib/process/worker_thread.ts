/**
 * One worker, seen from its supervisor.
 *
 * @module
 */

import { closeRemains, type SocketRemains } from "../sockets/linux/remains.ts";
import { ListenError } from "./listener.ts";
import type { PortStatus } from "../listener/port.ts";
import type { ServerCertificate } from "../listener/tls/certificate.ts";
import type { OutputName } from "../log/log.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { GenerationMessage, SupervisorMessage, WorkerMessage } from "./worker_message.ts";

/** Options of {@linkcode WorkerThread}: what the worker runs, and the callbacks for its messages. */
export interface WorkerThreadOptions {
  /** The module that the worker runs. */
  readonly module: URL;
  /** Time without a message after which the worker counts as stuck, in milliseconds. */
  readonly silenceMs: number;
  /** Writes lines of the log. */
  readonly writeLog: (bytes: Uint8Array, name?: OutputName) => void;
  /** Called with each exchange that failed. */
  readonly onFailure?: (failure: FailureReport) => void;
  /** Called when the runtime closed a port of the worker, and when the port is open again. */
  readonly onPort: (key: string, status: PortStatus) => void;
  /** Called when file handles have run out; `again` is true from the fourth time in a row on. */
  readonly onHandlesOut: (again: boolean) => void;
  /** Called each second in which the worker's heap is nearly full. */
  readonly onHeapFull: () => void;
  /** Gets the certificate of a name that a client asks for. */
  readonly obtain: (name: string) => Promise<ServerCertificate | undefined>;
  /** Called once when the worker ends without {@linkcode WorkerThread.stop}. */
  readonly onEnd: (reason: string) => void;
}

/** A worker. Owned by its supervisor. */
export class WorkerThread {
  /** Exchanges under way, as of its last message. */
  underWay = 0;
  /** Exchanges that have ended in its active generation, as of its last message. */
  ended = 0;
  /** Open WebSockets, as of its last message. */
  sockets = 0;
  readonly #worker: Worker;
  readonly #options: WorkerThreadOptions;
  readonly #startedMs = performance.now();
  #response: PromiseWithResolvers<ReadonlyMap<string, Deno.NetAddr>> | undefined;
  #stopped: PromiseWithResolvers<number> | undefined;
  #remains: SocketRemains | undefined;
  #silentMs = 0;
  #ended = false;
  #serves = false;

  /** Starts the thread, which serves nothing before {@linkcode WorkerThread.start}. */
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

  get state(): "starting" | "serving" | "draining" | "ended" {
    if (this.#ended) return "ended";
    return this.#stopped !== undefined ? "draining" : this.#serves ? "serving" : "starting";
  }

  /** Time since the thread was started, in milliseconds. */
  get servedMs(): number {
    return performance.now() - this.#startedMs;
  }

  /**
   * Makes the worker serve.
   *
   * @returns The addresses on which it listens, by the key of the listener.
   * @throws {ListenError} When a port cannot be opened.
   */
  start(message: Omit<SupervisorMessage & { kind: "start" }, "kind">): Promise<ReadonlyMap<string, Deno.NetAddr>> {
    return this.#request({ kind: "start", ...message });
  }

  /** Activates another config; parameters and result as of {@linkcode start}. */
  reload(generation: GenerationMessage): Promise<ReadonlyMap<string, Deno.NetAddr>> {
    return this.#request({ kind: "reload", generation });
  }

  /** Sends a message that gets no response. */
  post(message: SupervisorMessage): void {
    if (!this.#ended) this.#worker.postMessage(message);
  }

  /**
   * Ends the worker if it has sent no message for `silenceMs`: its thread has ended, which the runtime does not report, or is
   * stuck. A thread in an endless loop is ended by the runtime only when the loop ends; its connections hang until then.
   *
   * @param passedMs Time since the last call. The clock is not read, so that workers are not replaced after the whole
   *   process was suspended.
   */
  watch(passedMs: number): void {
    if (this.#ended || (this.#silentMs += passedMs) <= this.#options.silenceMs) return;
    this.#end(`It has said nothing for ${this.#options.silenceMs / 1000} s`);
  }

  /** Stops the worker gracefully. Resolves with the number of exchanges that were cut. */
  stop(): Promise<number> {
    if (this.#ended) return Promise.resolve(0);
    if (this.#stopped !== undefined) return this.#stopped.promise;
    this.#stopped = Promise.withResolvers();
    this.post({ kind: "stop" });
    return this.#stopped.promise;
  }

  /** Ends the worker at once; exchanges under way are cut. */
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
      case "remains":
        this.#remains = message.remains;
        break;
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
        this.#options.writeLog(message.bytes, message.name);
        break;
      case "status":
        this.underWay = message.underWay;
        this.ended = message.ended;
        this.sockets = message.sockets;
        if (message.heapFull) this.#options.onHeapFull();
        break;
      case "obtain": {
        const { name } = message;
        this.#options.obtain(name).then((certificate) => this.post({ kind: "obtained", name, certificate }));
        break;
      }
      case "failure":
        this.#options.onFailure?.(message.failure);
        break;
      case "stopped":
        this.#ended = true;
        this.#response?.reject(new Error("The worker has stopped"));
        this.#stopped?.resolve(message.cut);
        this.#closeRemains();
    }
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#worker.terminate();
    this.#response?.reject(new Error(`The worker ended: ${reason}`));
    this.#stopped?.resolve(0);
    this.#closeRemains();
    this.#options.onEnd(reason);
  }

  #closeRemains(): void {
    if (this.#remains !== undefined) closeRemains(this.#remains);
  }
}
