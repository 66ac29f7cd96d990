// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import type { Snapshot } from "../../lib/admin/snapshot.ts";
import type { RunningDemo } from "../../lib/cli/demo_command.ts";
import { startDemo } from "../../lib/demo/demo.ts";
import { SAMPLES, SHOWN } from "../../lib/demo/demo_config.ts";
import { findsChromium, launchChromium } from "../support/chromium.ts";
import { until } from "../support/condition.ts";

const hasChromium = await findsChromium("The demo's page of WebSockets");
const NAMES = SAMPLES.map(({ name }) => name);

// The page's Content-Security-Policy forbids the library's own way to wait for a condition.
async function becomes<T>(expected: T, read: () => Promise<T>): Promise<void> {
  await until(JSON.stringify(expected), async () => JSON.stringify(await read()) === JSON.stringify(expected), 15_000);
}

const stateOf = (page: Page) => page.getAttribute("#hops", "data-state");
const answered = async (page: Page) => await page.textContent("#answered") ?? "";
const logOf = async (page: Page) => await page.textContent("#log") ?? "";
const spread = (page: Page) => Promise.all(NAMES.map(async (name) => Number(await page.textContent(`#many-${name}`))));

async function connect(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Connect", exact: true }).click();
  await becomes("open", () => stateOf(page));
  return await answered(page);
}

function pageTest(name: string, work: (page: Page, demo: RunningDemo) => Promise<void>, quiet = true): void {
  Deno.test({
    name,
    ignore: !hasChromium,
    // The browser's own process and socket are the library's
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      const storage = await Deno.makeTempDir();
      const demo = await startDemo({ firstPort: 0, tryNext: false, storage });
      // The demo's own visitors would take turns in between.
      const paused = await fetch(`http://127.0.0.1:${demo.port}/rate/0`, { method: "POST" });
      assertEquals(paused.status, 204);
      const browser = await launchChromium();
      try {
        const page = await browser.newPage();
        const failures: string[] = [];
        page.on("pageerror", (error) => failures.push(error.message));
        // A browser writes each handshake that fails to the console.
        page.on("console", (message) => {
          if (message.type() === "error" && quiet) failures.push(message.text());
        });
        await page.goto(`http://127.0.0.1:${demo.port}/sockets`);
        await work(page, demo);
        assertEquals(failures, []);
      } finally {
        await browser.close();
        await demo.stop();
        await Deno.remove(storage, { recursive: true });
      }
    },
  });
}

// It is back when its probes say so.
async function allHealthy({ dashboardUrl }: RunningDemo): Promise<boolean> {
  const { pools }: Pick<Snapshot, "pools"> = await (await fetch(`${dashboardUrl}api/status`)).json();
  return pools.every(({ upstreams }) => upstreams.every(({ state }) => state === "active"));
}

pageTest("The page connects, says which upstream answered, and shows echoes of text and binary", async (page) => {
  await page.fill("#protocols", "unheard-of, chat");
  const upstream = await connect(page);
  assert(NAMES.includes(upstream), upstream);
  assertEquals(await page.textContent("#standing"), `Connected to ${upstream}, subprotocol chat`);
  await page.fill("#message", "Grüße 🌍");
  await page.press("#message", "Enter");
  await page.locator("#log .received", { hasText: "Grüße 🌍" }).waitFor();
  await page.getByRole("button", { name: "Send 64 KiB binary" }).click();
  await page.locator("#log .received", { hasText: "65,536 bytes, came back unchanged" }).waitFor();
  await page.locator("#log summary").click();
  assertMatch(await logOf(page), /x-forwarded-for: 127\.0\.0\.1/);
  assertEquals(await page.textContent("#messages"), "4");
});

pageTest("The page balances: three connections in turn reach three upstreams", async (page) => {
  const seen: string[] = [];
  for (let i = 0; i < NAMES.length; i++) {
    seen.push(await connect(page));
    await page.getByRole("button", { name: "Disconnect" }).click();
    await becomes("closed", () => stateOf(page));
    assertEquals(await page.textContent("#standing"), "Ended: 1000 (normal)");
  }
  assertEquals(seen.toSorted(), NAMES.toSorted());
});

pageTest("The page shows codes and reasons of both sides", async (page) => {
  const upstream = await connect(page);
  await page.fill("#code", "4321");
  await page.fill("#reason", "Said upstream");
  await page.uncheck("#keep");
  await page.getByRole("button", { name: "Upstream closes" }).click();
  await becomes("closed", () => stateOf(page));
  assertStringIncludes(await logOf(page), `Asks ${upstream} to close`);
  assertStringIncludes(await logOf(page), "4321 (the application's own) “Said upstream”clean");

  await connect(page);
  await page.fill("#code", "3999");
  await page.fill("#reason", "Said here");
  await page.getByRole("button", { name: "Close here" }).click();
  await becomes("closed", () => stateOf(page));
  assertStringIncludes(await logOf(page), "3999 (registered) “Said here”clean");

  await connect(page);
  await page.fill("#code", "1001");
  await page.getByRole("button", { name: "Close here" }).click();
  assertMatch(
    await page.locator("#code").evaluate((field) =>
      (field as unknown as { validationMessage: string }).validationMessage
    ),
    /3000 to 4999/,
  );
  assertEquals(await stateOf(page), "open");
});

pageTest("Twenty sockets spread evenly, answer, and move to the other upstreams when one is stopped", async (page) => {
  await page.keyboard.press("t");
  await becomes(20, async () => (await spread(page)).reduce((sum, count) => sum + count));
  assertEquals((await spread(page)).toSorted(), [6, 7, 7]);
  await page.getByRole("button", { name: "Message on each" }).click();
  await becomes("40", () => page.textContent("#messages"));
  await becomes(
    await spread(page),
    () =>
      Promise.all(
        NAMES.map(async (name) => parseInt(await page.textContent(`.upstream[data-upstream=${name}] .held`) ?? "")),
      ),
  );

  await page.getByRole("button", { name: "Stop violet" }).click();
  await becomes([0, 10, 10], () => spread(page));
  assertEquals(await page.textContent("#shares [data-upstream=teal] small"), "50 %");

  await page.getByRole("button", { name: "Close all" }).click();
  await becomes([0, 0, 0], () => spread(page));
  await becomes("0", () => page.textContent("#open"));
});

pageTest("Least connections gives new sockets to the upstream that came back", async (page, demo) => {
  await page.selectOption("#route", SHOWN.find(({ method }) => method === "least_connections")?.path ?? "");
  await page.getByRole("button", { name: "Stop violet" }).click();
  await page.locator(".upstream[data-upstream=violet].stopped").waitFor();
  await page.getByRole("button", { name: "Open twenty" }).click();
  // Weights are 3 and 1.
  await becomes([0, 15, 5], () => spread(page));
  await page.getByRole("button", { name: "Start violet" }).click();
  await page.locator(".upstream[data-upstream=violet]:not(.stopped)").waitFor();
  await becomes(true, () => allHealthy(demo));
  for (let index = 0; index < 4; index++) {
    await page.locator("#dots button").nth(index).click();
    await becomes(index + 1, async () => (await spread(page))[0]);
  }
});

pageTest(
  "A socket finds another upstream when its own is stopped, and waits longer each time there is none",
  async (page) => {
    const first = await connect(page);
    await page.getByRole("button", { name: `Stop ${first}` }).click();
    await becomes(true, async () => await stateOf(page) === "open" && await answered(page) !== first);
    assertNotEquals(await answered(page), first);
    assertMatch(await logOf(page), /1001 \(going away\).*Opens again in 0\.(25|5) s/s);

    for (const name of NAMES) {
      if (name !== first) await page.getByRole("button", { name: `Stop ${name}` }).click();
    }
    await page.locator("#log .note", { hasText: "Opens again in 2 s" }).waitFor();
    assertEquals(await stateOf(page), "waiting");
    assertStringIncludes(await logOf(page), "It did not open");
    await page.getByRole("button", { name: `Start ${first}` }).click();
    await page.locator(`.upstream[data-upstream=${first}]:not(.stopped)`).waitFor();
    await page.getByRole("button", { name: "Now" }).click();
    await becomes([first, "open"], async () => [await answered(page), await stateOf(page) ?? ""]);
  },
  false,
);

pageTest("The two pages of the demo lead to each other", async (page) => {
  await page.getByRole("link", { name: "Requests" }).click();
  await page.locator("#round_robin-violet").waitFor();
  await page.getByRole("link", { name: "WebSockets" }).click();
  await page.locator("#strands").waitFor({ state: "attached" });
});
