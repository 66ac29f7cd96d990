/**
 * What a reload says of keys that only a restart changes, and what it logs. The server is a stand-in: it takes every
 * config that it is not told to refuse.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertFalse } from "@std/assert";
import { ConfigError } from "../../lib/config/config_error.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import type { Config } from "../../lib/generation/config/config_types.ts";
import { Log } from "../../lib/log/log.ts";
import { Reloader } from "../../lib/process/reloader.ts";
import type { RunningServer } from "../../lib/process/server.ts";

const SITE = '[[sites]]\nstatic_dir = "."\n';
const RESTART = "config key needs a restart to change";

type Line = Record<string, unknown>;

/** A reloader whose file a test writes. */
class World {
  text: string;
  refusal: Error | undefined;
  readonly served: Config[] = [];
  readonly reloader: Reloader;
  /** What the last reload said. */
  needsRestart: readonly string[] | undefined;
  readonly #log: Log;
  #written: Line[] = [];

  constructor(text: string) {
    this.text = text;
    this.#log = new Log((bytes) => {
      const lines = new TextDecoder().decode(bytes).trim().split("\n");
      this.#written.push(...lines.map((line) => JSON.parse(line) as Line));
      return Promise.resolve();
    });
    const reload = (config: Config): Promise<void> => {
      if (this.refusal !== undefined) return Promise.reject(this.refusal);
      this.served.push(config);
      return Promise.resolve();
    };
    const load = () => Promise.resolve().then(() => this.#parsed());
    const server = { reload } as Partial<RunningServer> as RunningServer;
    this.reloader = new Reloader({ server, config: this.#parsed().config, file: "bws.toml", load, log: this.#log });
  }

  /** Reloads `text`; gives what was logged. */
  async reload(text: string): Promise<Line[]> {
    this.text = text;
    this.needsRestart = (await this.reloader.reload("test")).needsRestart;
    await this.#log.flush();
    return this.#written.splice(0);
  }

  /** Reloads `text`; gives the keys of which the log said that they need a restart. */
  async told(text: string): Promise<unknown[]> {
    return (await this.reload(text)).filter(({ message }) => message === RESTART).map(({ key }) => key);
  }

  #parsed() {
    const { config, problems, warnings } = parseConfig(this.text, { file: "bws.toml", checkFiles: false });
    if (config === undefined) throw new ConfigError(problems);
    return { config, warnings };
  }
}

Deno.test("Reloader compares keys that only a restart changes with the start, and reports them at each reload", async () => {
  const world = new World(SITE);
  const changed = `[server]\nworkers = 3\n[logging]\nlevel = "warn"\n${SITE}`;
  const keys = ["server.workers", "logging.level"];
  await world.reload("[[sites]]\nport = 0.5\n");
  assertEquals(world.needsRestart, []);
  assertEquals(await world.told(changed), keys);
  assertEquals(await world.told(`${changed}browse = true\n`), keys);
  assertEquals(world.needsRestart, keys);
  assertEquals(await world.told(SITE), []);
  assertEquals(world.needsRestart, []);
});

Deno.test("Reloader names each key of a fixed table, also one that is new, and does not show its value", async () => {
  const world = new World(SITE);
  const lines = await world.reload(`[management]\nenabled = true\napi_key = "0123456789abcdef"\n${SITE}`);
  assertEquals(world.needsRestart?.toSorted(), ["management.api_key", "management.enabled"]);
  assertFalse(JSON.stringify(lines).includes("0123456789abcdef"));
});

Deno.test("Reloader.config is what runs: what only a restart changes stays as at the start", async () => {
  const world = new World(`[logging]\nlevel = "error"\n${SITE}`);
  await world.reload(
    `[server]\nname = "young"\nworkers = 3\nlistener = "own"\nreuse_port = true\n[management]\nport = 1\n${SITE}`,
  );
  const { server, logging, management } = world.reloader.config;
  assertEquals([server.name, server.workers, server.listener, server.reuse_port], ["young", 1, undefined, false]);
  assertEquals([logging.level, management.port], ["error", 7654]);
  assertEquals(world.served.at(-1), world.reloader.config);
});

Deno.test("A refused reload changes nothing of what waits for a restart", async () => {
  const world = new World(SITE);
  await world.reload(`[server]\nworkers = 3\n${SITE}`);
  const before = world.reloader.config;
  world.text = `[server]\nworkers = 0\n${SITE}`;
  const { accepted, needsRestart } = await world.reloader.reload("test");
  assertEquals([accepted, needsRestart], [false, ["server.workers"]]);
  assert(world.reloader.config === before);
});

Deno.test("Reloader logs of a problem what is known of it, and no more", async () => {
  const world = new World(SITE);
  const problemOf = (lines: Line[]) => {
    const { time: _time, level, message: _message, ...fields } = lines.find(({ problem }) => problem !== undefined) ??
      {};
    return { level, ...fields };
  };
  assertEquals(problemOf(await world.reload(`${SITE}brwose = true\n`)), {
    ...{ level: "error", file: "bws.toml", line: 3, column: 1, path: "sites[0].brwose" },
    ...{ problem: 'unknown key "brwose" in [[sites]]', suggestion: "browse" },
  });
  world.refusal = new Error("Cannot listen on :80: the port is in use");
  assertEquals(problemOf(await world.reload(SITE)), {
    ...{ level: "error", file: "bws.toml", problem: "Cannot listen on :80: the port is in use" },
  });
});
