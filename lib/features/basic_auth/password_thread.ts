/**
 * Checks passwords in a thread of its own: one check takes a tenth of a second of a core, in which the server would serve nobody.
 *
 * @module
 */

/** A question to the thread. */
export interface PasswordQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

/** The thread's result. */
export interface PasswordResult {
  readonly id: number;
  readonly verified: boolean;
}

/** Checks that wait or are under way; more are refused, since each one waits for all before it. */
const MOST_CHECKS = 64;
/** Time without a question after which the thread ends. */
const IDLE_MS = 30_000;

/** One thread, started with the first check. It ends when nothing is asked, and does not keep the process alive. */
export class PasswordThread {
  #worker: Worker | undefined;
  #next = 0;
  readonly #waiting = new Map<number, (verified: boolean | undefined) => void>();
  #idle: ReturnType<typeof setTimeout> | undefined;

  /** Whether a password has this hash; undefined if too many checks wait, or the thread failed. Never rejects. */
  verify(password: string, hash: string): Promise<boolean | undefined> {
    if (this.#waiting.size >= MOST_CHECKS) return Promise.resolve(undefined);
    clearTimeout(this.#idle);
    const id = this.#next++;
    const { promise, resolve } = Promise.withResolvers<boolean | undefined>();
    this.#waiting.set(id, resolve);
    const question: PasswordQuestion = { id, password, hash };
    if (this.#worker === undefined) this.#start();
    this.#worker?.postMessage(question);
    return promise;
  }

  /** Ends the thread; checks under way are given up. */
  stop(): void {
    clearTimeout(this.#idle);
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const resolve of this.#waiting.values()) resolve(undefined);
    this.#waiting.clear();
  }

  #start(): void {
    const worker = new Worker(new URL("./password_worker.ts", import.meta.url).href, {
      type: "module",
      name: "bws passwords",
    });
    worker.onmessage = ({ data }: MessageEvent<PasswordResult | "ready">) => {
      // Questions that were posted before the thread was there have been kept for it.
      if (data === "ready") return;
      this.#waiting.get(data.id)?.(data.verified);
      this.#waiting.delete(data.id);
      if (this.#waiting.size > 0) return;
      this.#idle = setTimeout(() => this.stop(), IDLE_MS);
      Deno.unrefTimer(this.#idle as unknown as number);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.stop();
    };
    this.#worker = worker;
  }
}

/** The thread of this process, or of this worker. */
export const passwordThread = new PasswordThread();
