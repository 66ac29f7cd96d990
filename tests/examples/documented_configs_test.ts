// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertGreater } from "@std/assert";
import { parseConfig } from "../../lib/generation/config/parse_config.ts";
import { configsOf, pagesOfDocumentation } from "../support/documented_config.ts";
import { inTemporaryFolder } from "../support/temporary_folder.ts";

/** What the configs name: any folder of it is there, and empty but for this. */
const FILES = {
  "dist/index.html": "",
  "public/index.html": "",
  "www/index.html": "",
  "www/404.html": "",
  "503.html": "",
  "logs/bws.log": "",
  "blocked.txt": "192.0.2.1\n",
  "htpasswd": "ann:$2a$12$muWSeOXRhOlq9SUAEo.ebOaROqfH6b4YH3sonStSWRfscxjnC4AeW\n",
};

const pages = await pagesOfDocumentation();

/** Pages whose blocks are all whole configs; of other pages those are that begin a site. */
const WHOLE = pages.filter((page) => page.startsWith("docs/recipes/") || page === "docs/coming-from.md");

for (const page of pages) {
  const configs = await configsOf(page);
  const whole = configs.filter(({ text }) => WHOLE.includes(page) || text.includes("[[sites]]"));
  if (whole.length === 0) continue;
  Deno.test(`Configs of ${page} are accepted by bws check --strict`, async () => {
    await inTemporaryFolder(FILES, (folder) => {
      for (const { text, line } of whole) {
        // Certificates have to be valid to be there.
        const checkFiles = !/\b(cert|ca)_file = /.test(text);
        const options = { baseDir: folder, env: () => undefined, searchFolders: true, checkFiles };
        const { problems, warnings } = parseConfig(text.replaceAll("/var/log/bws", `${folder}/logs`), options);
        const said = [...problems, ...warnings].map((one) =>
          `${page}:${line + one.line}: ${one.message}, expected ${one.expected}`
        );
        assertEquals(said, []);
      }
    });
  });
}

// What a block without a site belongs to: a site of files, or one whose pool "app" it adds to.
const FILE_SITE = '[[sites]]\nport = 8080\nstatic_dir = "."\n';
const PROXY_SITE =
  `[[sites]]\nport = 8080\n[[sites.proxy.upstreams]]\nname = "app"\nurl = "http://127.0.0.1:3000"\n[[sites.proxy.routes]]\npath = "/"\nupstream = "app"\n`;

Deno.test("Parts of configs in the documentation are accepted where they belong", async () => {
  let parts = 0;
  await inTemporaryFolder(FILES, async (folder) => {
    for (const page of pages) {
      if (WHOLE.includes(page)) continue;
      for (const { text, line } of await configsOf(page)) {
        if (text.includes("[[sites]]")) continue;
        parts++;
        const ofSite = /^\[+sites\./m.test(text);
        const whole = (ofSite ? PROXY_SITE : FILE_SITE) + text;
        const options = { baseDir: folder, env: () => "dmFsdWU", checkFiles: false };
        const { problems } = parseConfig(whole, options);
        assertEquals(problems.map(({ message }) => `${page}:${line}: ${message}`), []);
      }
    }
  });
  assertGreater(parts, 5);
});

Deno.test("Every recipe has one config", async () => {
  const recipes = pages.filter((page) => page.startsWith("docs/recipes/"));
  assertGreater(recipes.length, 10);
  for (const page of recipes) assertEquals((await configsOf(page)).length, 1, page);
});
