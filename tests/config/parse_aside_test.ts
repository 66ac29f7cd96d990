// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import { loadConfig } from "../../lib/generation/config/load_config.ts";
import { parseConfigAside } from "../../lib/generation/config/parse_aside.ts";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { quickestMs } from "../support/quickest.ts";

const LARGE = Array.from(
  { length: 1500 },
  (_, index) => `[[sites]]\nname = "s${index}"\nhostname = "h${index}.example"\nstatic_dir = "/"\n`,
).join("");

/** What `work` gives, and how often this thread had its turn meanwhile. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  try {
    return { result: await work(), turns };
  } finally {
    clearInterval(timer);
  }
}

Deno.test("A large config is parsed in a thread of its own, with the same result", async () => {
  const options = { checkFiles: false, baseDir: "/" };
  const started = performance.now();
  const inPlace = parseConfig(LARGE, options);
  const takenMs = performance.now() - started;
  const { result, turns } = await turnsDuring(() => parseConfigAside(LARGE, options));
  // As text: comparing the objects takes seconds
  assertEquals(JSON.stringify(result), JSON.stringify(inPlace));
  assert(turns > 5, `${turns} turns while a config was parsed that takes ${takenMs} ms`);
});

Deno.test("Problems of a large config come from the thread as well, a thousand at the most", async () => {
  const text = `[[sites]]\nstatic_dir = "/"\n${Array.from({ length: 3000 }, (_, index) => `k${index} = 1\n`).join("")}`;
  const { config, problems } = await parseConfigAside(text, { file: "large.toml", checkFiles: false });
  assertEquals([config, problems.length, problems[0].file, problems[999].line], [undefined, 1000, "large.toml", 1002]);
});

Deno.test("loadConfig() reads a large file aside, with the environment of the process", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/www`);
    const text = LARGE.replace('static_dir = "/"', 'static_dir = "${BWS_TEST_FOLDER:-www}"');
    await Deno.writeTextFile(`${folder}/large.toml`, text);
    const { result, turns } = await turnsDuring(() => loadConfig(`${folder}/large.toml`, { aside: true }));
    assertEquals(result.config.sites[0].static_dir, `${folder}/www`);
    assert(turns > 5, `${turns} turns`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("What is wrong a thousand times takes no longer than what is right", () => {
  const [PARTS, route] = [
    4000,
    (name: string, index: number) => `[[sites.proxy.routes]]\npath = "/${index}"\nupstream = "${name}"\n`,
  ];
  const upstreams = Array.from(
    { length: PARTS },
    (_, index) => `[[sites.proxy.upstreams]]\nname = "upstream${index}"\nurl = "http://127.0.0.1:1"\n`,
  ).join("");
  const text = (name: string) =>
    `[[sites]]\n[sites.proxy]\n${upstreams}${
      Array.from({ length: PARTS }, (_, index) => route(name + index, index)).join("")
    }`;
  const timeOf = (config: string) => {
    const started = performance.now();
    parseConfig(config, { checkFiles: false });
    return performance.now() - started;
  };
  timeOf(text("upstream"));
  const right = timeOf(text("upstream"));
  const wrong = quickestMs(4 * right, () => timeOf(text("upstraem")));
  assert(wrong < 4 * right, `${wrong} ms when each route names no upstream, ${right} ms when each does`);
});
