// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { startDemo } from "../../lib/demo/demo.ts";
import { SAMPLES, SHOWN } from "../../lib/demo/demo_config.ts";
import { FolderStore } from "../../lib/listener/acme/folder_store.ts";
import { LocalAuthority } from "../../lib/listener/acme/local_authority.ts";
import { tlsGet } from "../support/tls_client.ts";
import { BwsProcess } from "../cli/bws_process.ts";
import { findsChromium, launchChromium } from "../support/chromium.ts";
import { until } from "../support/condition.ts";

/** The local authority of a test is not that of its user. */
const STORAGE = { XDG_DATA_HOME: Deno.makeTempDirSync() };
globalThis.addEventListener("unload", () => Deno.removeSync(STORAGE.XDG_DATA_HOME, { recursive: true }));

const hasChromium = await findsChromium("The demo's page");

async function demoAddress(process: BwsProcess): Promise<string> {
  return (await process.until(/is at (http:\S+)\//))[1].replace("localhost", "127.0.0.1");
}

Deno.test("bws demo responds to the curl commands that it prints, from any folder, and ends with 0", async () => {
  const cwd = await Deno.makeTempDir();
  {
    await using process = new BwsProcess(["demo", "--port", "0"], { cwd, env: STORAGE });
    await demoAddress(process);
    await process.until(/Ctrl-C/);
    const { 0: text } = await process.until(/^[^]*$/);
    const urls = [...text.matchAll(/curl (\S+)/g)].map(([, url]) => url);
    assertEquals(urls.length, SHOWN.length);
    for (const url of urls) {
      const { upstream } = await (await fetch(url)).json();
      assertEquals(SAMPLES.some(({ name }) => name === upstream), true);
    }
    process.signal("SIGINT");
    assertEquals((await process.ended()).code, 0);
  }
  await Deno.remove(cwd);
});

Deno.test("startDemo() takes the next port when the first is taken, and stop() leaves nothing open", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const storage = STORAGE.XDG_DATA_HOME;
  const demo = await startDemo({ firstPort: taken.addr.port, tryNext: true, storage });
  try {
    assertGreater(demo.port, taken.addr.port);
    assertStringIncludes(await (await fetch(`http://127.0.0.1:${demo.port}/`)).text(), "<title>BWS demo");
    const ca = await new LocalAuthority(new FolderStore(storage)).certificate();
    const { head } = await tlsGet({ port: demo.securePort ?? 0, name: "localhost", ca });
    assertStringIncludes(head, "HTTP/1.1 200");
  } finally {
    taken.close();
    await demo.stop();
  }
});

Deno.test("bws demo refuses switches that a page of another site uses", async () => {
  await using process = new BwsProcess(["demo", "--port", "0"], { env: STORAGE });
  const url = await demoAddress(process);
  const headers = { "sec-fetch-site": "cross-site" };
  const response = await fetch(`${url}/upstreams/violet/stop`, { method: "POST", headers });
  assertEquals(response.status, 403);
});

Deno.test({
  name: "The demo's page counts answers of all upstreams, and a stopped upstream costs no request",
  ignore: !hasChromium,
  // The browser's own process and socket are the library's
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await using process = new BwsProcess(["demo", "--port", "0"], { env: STORAGE });
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const failures: string[] = [];
      page.on("pageerror", (error) => failures.push(error.message));
      page.on("console", (message) => {
        if (message.type() === "error") failures.push(message.text());
      });
      await page.goto(await demoAddress(process));
      const count = async (method: string, name: string) =>
        Number((await page.textContent(`#${method}-${name} .count`))?.replace(/\D/g, ""));
      // The page's Content-Security-Policy forbids the library's own way to wait for a condition.
      const becomes = (condition: () => Promise<boolean>) => until(String(condition), condition, 20_000);
      const countReaches = (method: string, name: string, least: number) =>
        becomes(async () => await count(method, name) >= least);

      for (const { method } of SHOWN) {
        for (const { name } of SAMPLES) {
          assertStringIncludes((await page.textContent(`#${method}-${name} th`)) ?? "", name);
          await countReaches(method, name, 1);
        }
      }

      await page.getByRole("button", { name: "Stop teal" }).click();
      await page.locator(".upstream[data-upstream=teal].stopped").waitFor();
      // What was in flight ends first.
      await becomes(async () => await page.textContent("#round_robin-teal .flight") === "0");
      // The number of answers is written twice a second, that of requests in flight at once: its last one may be to come.
      let teal = NaN;
      const greenStands = async () => {
        teal = await count("round_robin", "teal");
        const before = await count("round_robin", "violet");
        await countReaches("round_robin", "violet", before + 20);
        return await count("round_robin", "teal") === teal;
      };
      assertEquals(await greenStands() || await greenStands(), true);
      assertEquals(await page.textContent("#errors"), "0");

      await page.keyboard.press("2");
      await page.locator(".upstream[data-upstream=teal]:not(.stopped)").waitFor();
      await countReaches("round_robin", "teal", teal + 5);

      await page.getByText("Pause").click();
      await page.locator("#speed").filter({ hasText: /^0$/ }).waitFor();
      assertGreater(Number((await page.textContent("#total"))?.replace(/\D/g, "")), 100);
      assertEquals([await page.textContent("#errors"), failures], ["0", []]);
    } finally {
      await browser.close();
    }
    process.signal("SIGTERM");
    assertEquals((await process.ended()).code, 0);
  },
});
