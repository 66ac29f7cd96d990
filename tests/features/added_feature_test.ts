/**
 * What it takes to add a feature: its own file, and one line in the list.
 *
 * @module
 */

// @ts-types="../../types/std/assert.d.ts"
import { assertEquals, assertStringIncludes } from "@std/assert";
import { Exchange } from "../../lib/exchange/exchange.ts";
import { Pipeline } from "../../lib/exchange/pipeline.ts";
import { SiteFilters } from "../../lib/features/filters.ts";
import type { Config } from "../../lib/generation/config/config_types.ts";
import type { RequestHead } from "../../lib/http/message.ts";
import { CoarseClock } from "../../lib/state/coarse_clock.ts";
import { LocalState } from "../../lib/state/shared_state.ts";
import { ONLY_WORKER } from "../../lib/state/worker_place.ts";
import { jsonSchema } from "../../lib/config/json_schema.ts";
import { sentenceOf } from "../../lib/config/problem.ts";
import { readText } from "../../lib/config/read_config.ts";
import { composeConfig } from "../../lib/generation/config/composed_config.ts";
import { configReferenceText } from "../support/config_reference.ts";
import { configTypesText } from "../support/config_types.ts";
import { markingConfigSchema, WITH_MARKING } from "../support/marking_feature.ts";

const composed = composeConfig(WITH_MARKING);
const HEAD: RequestHead = {
  ...{ method: "GET", path: "/", query: "", authority: "a", host: "a", scheme: "http", headers: [] },
  peer: { address: "1.2.3.4", port: 1 },
};
const TEXT = `[[sites]]
name = "shop"
[sites.marking]
mark = "site"
[sites.proxy]
[[sites.proxy.upstreams]]
name = "app"
url = "http://127.0.0.1:3000"
[[sites.proxy.routes]]
path = "/own/"
upstream = "app"
marking = { mark = "route", max_age = 5 }
[[sites.proxy.routes]]
path = "/"
upstream = "app"
`;

Deno.test("A feature's table may stand on a site and on a route, with its defaults", () => {
  const { config, problems } = readText(TEXT, composed);
  assertEquals(problems, []);
  const [site] = config?.sites as unknown as { marking: unknown; proxy: { routes: { marking?: unknown }[] } }[];
  assertEquals(site.marking, { mark: "site", max_age: 60_000 });
  assertEquals(site.proxy.routes.map(({ marking }) => marking), [{ mark: "route", max_age: 5000 }, undefined]);
});

Deno.test("A feature's keys are refused and warned of like all others, on a site and on a route", () => {
  const marked = (owner: string) => `${TEXT.replace(/\[sites\.marking\]\n.*\n/, "")}${owner}`;
  const [site, route] = ["[sites.marking]\n", "[sites.proxy.routes.marking]\n"];
  for (const [header, name] of [[site, "sites.marking"], [route, "sites.proxy.routes.marking"]]) {
    const unknown = readText(marked(`${header}mrak = "a"\n`), composed).problems;
    assertEquals(unknown.map(sentenceOf), [`unknown key "mrak" in [${name}] (did you mean "mark"?)`]);
    const wrong = readText(marked(`${header}mark = 5\nmax_age = "x"\n`), composed).problems;
    assertEquals(wrong.map(({ line, column }) => [line, column]), [[15, 8], [16, 11]]);
    const odd = readText(marked(`${header}mark = "none"\n`), composed);
    assertEquals(odd.problems, []);
    assertEquals(odd.warnings.map((one) => [sentenceOf(one), one.line]), [[
      'mark is "none", expected no [marking]',
      15,
    ]]);
  }
  const whole = readText(TEXT.replace("{ mark", "5 # { mark"), composed).problems;
  assertEquals(whole.map(sentenceOf), ["marking is 5, expected a table, written [sites.proxy.routes.marking]"]);
});

Deno.test("A feature runs with the table of the route, and with the site's where the route has none", async () => {
  const { config } = readText(TEXT, composed);
  const [site] = config?.sites ?? [];
  const marks = [undefined, ...site.proxy?.routes ?? []].map(async (route) => {
    const filters = new SiteFilters(site, {
      ...{
        server: (config as Config).server,
        logging: (config as Config).logging,
        site,
        route: undefined,
        proxy: site.proxy,
        log: undefined,
      },
      ...{ clock: new CoarseClock(), sharedState: new LocalState(), matchRoute: () => undefined },
      ...{ isEndpoint: () => false, httpsPort: 443 },
      ...{ worker: ONLY_WORKER, featureMetrics: () => undefined, mark: "", awaitBefore: () => {} },
      openService: () => {
        throw new Error("It asks no service");
      },
    }, WITH_MARKING);
    const pipeline = new Pipeline(route === undefined ? filters.unrouted : filters.of(route, site.proxy), {
      handle: () => ({ status: 200, headers: [], body: null }),
    }, {
      fail: () => ({ status: 500, headers: [], body: null }),
      deliver: (_, response) => response,
    });
    const client = { body: null, signal: new AbortController().signal };
    return (await pipeline.run(new Exchange(HEAD, client, { exchangeEnded: () => {} }))).headers;
  });
  assertEquals(await Promise.all(marks), [
    ["x-mark", "site of shop for 60000"],
    ["x-mark", "route of shop for 5000"],
    ["x-mark", "site of shop for 60000"],
  ]);
});

Deno.test("A feature's table is in the JSON Schema, the reference and the types", async () => {
  const { properties: { sites: { items: { properties: site } } } } = jsonSchema(markingConfigSchema) as {
    properties: { sites: { items: { properties: Record<string, Record<string, unknown>> } } };
  };
  assertEquals(site.marking.description, "How responses are marked.");
  assertEquals(site.marking.required, ["mark"]);
  const route = JSON.stringify(site.proxy).split('"marking":')[1];
  assertStringIncludes(route, "How responses are marked. Takes the place of the site's.");
  const reference = await configReferenceText(markingConfigSchema);
  assertStringIncludes(reference, "## `[sites.marking]`\n\nHow responses are marked.\n");
  assertStringIncludes(reference, "## `[sites.proxy.routes.marking]`\n");
  assertEquals([...reference.matchAll(/^\| `max_age` +\| a duration.*How long the mark holds\. +\|$/gm)].length, 2);
  const types = await configTypesText({
    schema: markingConfigSchema,
    probe: `import type { z } from "zod";
import type { markingConfigSchema } from "../../../tests/support/marking_feature.ts";
export type Input = z.input<typeof markingConfigSchema>;
export type Output = z.output<typeof markingConfigSchema>;
`,
  });
  assertStringIncludes(types, "/** `[sites.marking]`. How responses are marked. */\nexport interface MarkingInput {");
  assertStringIncludes(types, "  /** What responses are marked with. */\n  mark: string;\n");
  assertStringIncludes(types, "  marking?: MarkingConfig;\n");
});
