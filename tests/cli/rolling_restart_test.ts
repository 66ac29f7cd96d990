// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { TallyingUpstream } from "../support/tallying_upstream.ts";
import { freePort } from "../support/port.ts";
import { BwsProcess } from "./bws_process.ts";

/** Clients that ask over a new connection each time, and clients that keep theirs, as browsers and services do. */
class Clients {
  readonly failures: string[] = [];
  answers = 0;
  /** New connections that were closed before a byte of an answer. */
  unanswered = 0;
  readonly #port: number;
  readonly #loops: Promise<void>[];
  #stopped = false;

  constructor(port: number) {
    this.#port = port;
    this.#loops = [true, true, true, true, false, false, false, false].map((keeps) => this.#ask(keeps));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#loops);
  }

  async #ask(keeps: boolean): Promise<void> {
    let kept: Deno.TcpConn | undefined;
    while (!this.#stopped) {
      const reused = kept !== undefined;
      try {
        kept ??= await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
        const answer = await this.#exchange(kept, keeps);
        // A kept connection may close as it is written to; every client asks again then (RFC 9112, section 9.3.1).
        if (answer === "" && reused) kept = undefined;
        else if (answer === "") this.unanswered++;
        else if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`the answer is ${JSON.stringify(answer)}`);
        else this.answers++;
        if (!keeps || answer === "" || /connection: close/i.test(answer)) kept = undefined;
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionReset)) this.failures.push(String(error));
        else if (!reused) this.unanswered++;
        kept = undefined;
      }
      // Leaves room for the processes that start and end on the same machine.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    kept?.close();
  }

  async #exchange(conn: Deno.TcpConn, keeps: boolean): Promise<string> {
    let answer = "";
    try {
      const close = keeps ? "" : "Connection: close\r\n";
      await conn.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: a.test\r\n${close}\r\n`));
      const buffer = new Uint8Array(4096);
      while (!answer.includes("\r\n\r\n")) {
        const read = await conn.read(buffer);
        if (read === null) break;
        answer += new TextDecoder().decode(buffer.subarray(0, read));
      }
      return answer;
    } finally {
      if (!keeps || answer === "") conn.close();
    }
  }
}

Deno.test({
  name: "a rolling restart with reuse_port loses no request that was begun, and kept connections lose none",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using upstream = TallyingUpstream.start({ name: "only" });
    const folder = await Deno.makeTempDir();
    const port = freePort();
    const managementPort = freePort();
    await Deno.writeTextFile(
      `${folder}/config.toml`,
      `[server]
reuse_port = true
shutdown_delay = "200ms"
[management]
enabled = true
port = ${managementPort}
[[sites]]
listen = "127.0.0.1"
port = ${port}
[sites.proxy]
upstreams = [{ name = "u", url = "${upstream.url}" }]
routes = [{ path = "/", upstream = "u" }]
`,
    );
    const start = async () => {
      const process = new BwsProcess(["run", `${folder}/config.toml`]);
      await process.until(/listening on/);
      return process;
    };
    let running = await start();
    const clients = new Clients(port);
    try {
      for (let restart = 0; restart < 3; restart++) {
        const next = await start();
        const before = clients.answers;
        const old = running;
        running = next;
        old.signal("SIGTERM");
        assertEquals((await old.ended()).code, 0);
        while (clients.answers < before + 50) await new Promise((resolve) => setTimeout(resolve, 10));
        // It was that of the old process as long as that ran.
        await next.until(/management port is open/, "stdout");
        const status = await fetch(`http://127.0.0.1:${managementPort}/api/status`);
        assertEquals((await status.json()).config.generation, 1);
      }
    } finally {
      await clients.stop();
      running.signal("SIGTERM");
      await running.ended();
      await Deno.remove(folder, { recursive: true });
    }
    assertEquals(clients.failures, []);
    assertGreater(clients.answers, 150);
    // Whatever reached the upstream was answered.
    assertEquals(upstream.count, clients.answers);
    // The runtime closes what it has accepted and not read from, and the system resets what it has not accepted: at each
    // of three restarts one connection of each of eight clients at the most.
    assertLessOrEqual(clients.unanswered, 24);
  },
});
