/**
 * An upstream that counts what it is asked, and how much of it at a time. Its answers can be held back, slow, or failures.
 *
 * @module
 */

/** What it answers. */
export interface TallyingOptions {
  /** Sent with each answer. */
  readonly name?: string;
  /** How long it takes to answer, in milliseconds. */
  readonly delayMs?: number;
}

/** An upstream that counts. */
export class TallyingUpstream {
  /** Requests so far. */
  count = 0;
  /** Requests that it has not answered yet. */
  open = 0;
  /** The most that there were of those. */
  peak = 0;
  /** Status of its answers. */
  status = 200;
  /** The path of each request, in order. */
  readonly paths: string[] = [];
  readonly #options: TallyingOptions;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #gate: PromiseWithResolvers<void> | undefined;

  private constructor(options: TallyingOptions, port: number) {
    this.#options = options;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** Listens on a free port of loopback. */
  static start(options: TallyingOptions = {}, port = 0): TallyingUpstream {
    return new TallyingUpstream(options, port);
  }

  /** Its `url` for a config. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Answers nothing from now on. */
  hold(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** Answers what was held back, and goes on. */
  letGo(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Forgets its counts. */
  reset(): void {
    this.count = this.peak = 0;
    this.paths.length = 0;
  }

  /** Closes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.letGo();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const { name = "", delayMs = 0 } = this.#options;
    this.count++;
    this.peak = Math.max(this.peak, ++this.open);
    this.paths.push(request.url.slice(request.url.indexOf("/", 8)));
    await this.#gate?.promise;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    this.open--;
    return new Response("ok", { status: this.status, headers: { "x-upstream": name } });
  }
}
