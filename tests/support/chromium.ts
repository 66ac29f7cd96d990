/**
 * The browser that pages are tested in.
 *
 * @module
 */

import { type Browser, chromium } from "npm:playwright-core@1.65.1";

/** What something in a page takes at the most: it only ends a test that hangs. */
export const BROWSER_MS = 120_000;

const CHROMIUM = "/usr/bin/chromium";
const CHROMIUM_ARGS = [
  ...["--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

/** Whether there is a browser; says so where there is none, and what is not tested then. */
export async function findsChromium(tested: string): Promise<boolean> {
  const found = await Deno.stat(CHROMIUM).then(() => true, () => false);
  // deno-lint-ignore no-console -- whoever reads the report must know
  if (!found) console.warn(`${tested} is not tested: ${CHROMIUM} is missing`);
  return found;
}

/** Starts a browser whose pages wait for as long as a busy machine takes. */
export async function launchChromium(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGS, timeout: BROWSER_MS });
  const open = browser.newPage.bind(browser);
  browser.newPage = async (options) => {
    const page = await open(options);
    page.setDefaultTimeout(BROWSER_MS);
    return page;
  };
  return browser;
}
