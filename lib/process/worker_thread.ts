/**
 * One worker, as its supervisor sees it.
 *
 * @module
 */

import { ListenError } from "./listener.ts";
import type { PortStatus } from "../listener/runtime/serving_port.ts";
import type { FailureReport } from "../exchange/failure_report.ts";
import type { GenerationMessage, SupervisorMessage, WorkerMessage } from "./worker_message.ts";

/** Who hears of a worker. */
export interface WorkerThreadOptions {
  /** The module that it runs. */
  readonly module: URL;
  /** How long it may say nothing before it is taken for stuck, in milliseconds. */
  readonly silenceMs: number;
  /** Takes lines for the log. */
  readonly writeLog: (bytes: Uint8Array) => void;
  /** Told of exchanges that failed. */
  readonly onFailure?: (failure: FailureReport) => void;
  /** Told that one of its ports closed unasked, or is open again. */
  readonly onPort: (key: string, status: PortStatus) => void;
  /** Told that file handles have run out; `again` when that has just happened before. */
  readonly onHandlesOut: (again: boolean) => void;
  /** Told each second that its heap is nearly full. */
  readonly onHeapFull: () => void;
  /** Called once when it ends without having been told to. */
  readonly onEnd: (reason: string) => void;
}

/** A worker. Owned by its supervisor. */
export class WorkerThread {
  /** Exchanges under way, as of its last word. */
  underWay = 0;
  /** Exchanges that have ended in its present generation, as of its last word. */
  ended = 0;
  /** Open WebSockets, as of its last word. */
  sockets = 0;
  readonly #worker: Worker;
  readonly #options: WorkerThreadOptions;
  readonly #startedMs = performance.now();
  #answer: PromiseWithResolvers<ReadonlyMap<string, Deno.NetAddr>> | undefined;
  #stopped: PromiseWithResolvers<number> | undefined;
  #silentMs = 0;
  #ended = false;
  #serves = false;

  /** Makes its thread, which waits to be told what to serve. */
  constructor(options: WorkerThreadOptions) {
    this.#options = options;
    this.#worker = new Worker(options.module.href, { type: "module", name: "bws" });
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
      this.#silentMs = 0;
      this.#heard(data);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#end(event.message);
    };
    this.#worker.onmessageerror = () => this.#end("It said what cannot be understood");
  }

  /** Whether it serves. */
  get state(): "starting" | "serving" | "draining" | "ended" {
    if (this.#ended) return "ended";
    return this.#stopped !== undefined ? "draining" : this.#serves ? "serving" : "starting";
  }

  /** How long it has been there, in milliseconds. */
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
    return this.#ask({ kind: "start", ...message });
  }

  /** Puts another config in place; as {@linkcode start}. */
  reload(generation: GenerationMessage): Promise<ReadonlyMap<string, Deno.NetAddr>> {
    return this.#ask({ kind: "reload", generation });
  }

  /** Says something that needs no answer. */
  tell(message: SupervisorMessage): void {
    if (!this.#ended) this.#worker.postMessage(message);
  }

  /**
   * Ends it if it has said nothing for long: its thread has ended without a word (nothing tells its supervisor), or is stuck.
   * The runtime ends one that runs an endless loop only when that is over; its connections hang until then.
   *
   * @param passedMs Time since the last call. What counts are turns of the supervisor: a process that was stopped for a
   *   while has no silent workers.
   */
  watch(passedMs: number): void {
    if (this.#ended || (this.#silentMs += passedMs) <= this.#options.silenceMs) return;
    this.#end(`It has said nothing for ${this.#options.silenceMs / 1000} s`);
  }

  /** Ends it in order. How many exchanges were cut. */
  stop(): Promise<number> {
    if (this.#ended) return Promise.resolve(0);
    if (this.#stopped !== undefined) return this.#stopped.promise;
    this.#stopped = Promise.withResolvers();
    this.tell({ kind: "stop" });
    return this.#stopped.promise;
  }

  /** Ends it at once, with all that it has under way. */
  terminate(): void {
    this.#worker.terminate();
    this.#end("It was terminated");
  }

  #ask(message: SupervisorMessage): Promise<ReadonlyMap<string, Deno.NetAddr>> {
    const answer = this.#answer = Promise.withResolvers();
    if (this.#ended) answer.reject(new Error("The worker has ended"));
    else this.tell(message);
    return answer.promise;
  }

  #heard(message: WorkerMessage): void {
    switch (message.kind) {
      case "ready":
        this.#serves = true;
        this.#answer?.resolve(message.addresses);
        break;
      case "failed":
        this.#answer?.reject(message.listening ? new ListenError(message.message) : new Error(message.message));
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
        this.#answer?.reject(new Error("The worker has stopped"));
        this.#stopped?.resolve(message.cut);
    }
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#worker.terminate();
    this.#answer?.reject(new Error(`The worker ended: ${reason}`));
    this.#stopped?.resolve(0);
    this.#options.onEnd(reason);
  }
}
