/**
 * The dashboard in a browser, and what is looked at in it.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Page } from "npm:playwright-core@1.65.1";
import { findsChromium, launchChromium } from "../support/chromium.ts";
import type { FakeAdmin } from "../support/fake_admin.ts";

const hasChromium = await findsChromium("The dashboard");

/** How a page is opened. */
export interface OpenOptions {
  colorScheme?: "light" | "dark";
  width?: number;
  height?: number;
  /** What is there when the page is ready. */
  ready?: string;
  /** Messages of the console that are no fault. */
  expected?: RegExp;
}

/** What a test gets. */
export interface DashboardBrowser {
  /** Opens the dashboard. Errors in its console, and requests to anyone else, fail the test in its end. */
  open(admin: FakeAdmin, options?: OpenOptions): Promise<Page>;
}

/** A test in a browser of its own. */
export function dashboardTest(name: string, run: (browser: DashboardBrowser) => Promise<void>): void {
  Deno.test({
    name,
    ignore: !hasChromium,
    // The browser's own process and socket are the library's
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      const browser = await launchChromium();
      const faults: string[] = [];
      try {
        await run({
          async open(admin, options = {}) {
            const { colorScheme = "light", width = 1280, height = 800, ready = "#page:not([hidden])" } = options;
            const page = await browser.newPage({ colorScheme, viewport: { width, height } });
            page.on("pageerror", (error) => faults.push(error.message));
            page.on("console", (message) => {
              const text = message.text();
              if (message.type() === "error" && !options.expected?.test(text)) faults.push(text);
            });
            page.on("request", (request) => {
              if (!request.url().startsWith(`${admin.url}/`)) faults.push(`request to ${request.url()}`);
            });
            await page.goto(`${admin.url}/`);
            await page.locator(ready).waitFor();
            return page;
          },
        });
      } finally {
        await browser.close();
      }
      assertEquals(faults, []);
    },
  });
}
