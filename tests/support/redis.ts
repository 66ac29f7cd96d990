/**
 * A redis-server of the machine with a password, without a disk.
 *
 * @module
 */

import { until } from "./condition.ts";
import { freePort } from "./port.ts";

/** Certificate and key for TLS. */
export interface RedisTls {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A running redis-server. */
export class Redis {
  /** Its port; in cleartext, or with TLS where that was asked for. */
  readonly port: number;
  /** URL with the password. */
  readonly url: string;
  readonly #child: Deno.ChildProcess;

  private constructor(port: number, tls: boolean, child: Deno.ChildProcess) {
    this.port = port;
    this.url = `redis${tls ? "s" : ""}://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/1`;
    this.#child = child;
  }

  /** Starts one. */
  static async start({ port = freePort(), tls }: { port?: number; tls?: RedisTls } = {}): Promise<Redis> {
    const listens = tls === undefined ? ["--port", String(port)] : [
      ...["--port", "0", "--tls-port", String(port), "--tls-auth-clients", "no"],
      ...["--tls-cert-file", tls.certFile, "--tls-key-file", tls.keyFile],
    ];
    const child = new Deno.Command("redis-server", {
      args: [...listens, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--requirepass", PASSWORD],
      ...{ cwd: "/tmp", stdin: "null", stdout: "null", stderr: "null" } as const,
    }).spawn();
    const redis = new Redis(port, tls !== undefined, child);
    await until("redis-server accepts", () => accepts(port), 20_000);
    return redis;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
  }
}

/** With characters that a URL has to escape. */
const PASSWORD = "p@ss%word/";

/** Whether tests with Redis cannot run here. */
export const redisIsMissing: boolean = Deno.build.os === "windows" || !hasRedis();

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

function hasRedis(): boolean {
  try {
    new Deno.Command("redis-server", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
