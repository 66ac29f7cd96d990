// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import type { Exchange } from "../../lib/exchange/exchange.ts";
import type { Filter } from "../../lib/exchange/filter.ts";
import { ResponseFields } from "../../lib/features/headers.ts";
import { requestId } from "../../lib/features/request_id.ts";
import type { BuildContext } from "../../lib/features/feature.ts";
import type { ProxyConfig } from "../../lib/handlers/proxy/config/proxy_schema.ts";

type Changes = ProxyConfig["headers"];

const NOTHING: Changes = {
  ...{ add_x_forwarded: true, add_forwarded: false, add: {}, remove: [] },
  request: { set: {}, add: {}, remove: [] },
  response: { set: {}, add: {}, remove: [] },
};

/** `lines` after the filters. */
function after(lines: string[], filters: (Filter | undefined)[], fromUpstream: boolean): string[] {
  const flat = lines.flatMap((line) => line.split(": "));
  const exchange = { fromUpstream, requestId: "id-1" } as Exchange;
  for (const filter of filters) filter?.fields?.(exchange, flat);
  return flat.filter((_, i) => i % 2 === 0).map((name, i) => `${name}: ${flat[2 * i + 1]}`);
}

function idFilter(changes: Changes = NOTHING, header = "X-Request-Id"): Filter | undefined {
  return requestId.compile({ header, trust: true }, { proxy: { headers: changes } } as unknown as BuildContext);
}

Deno.test("headers sets, adds and removes in responses of upstreams", () => {
  const changes = { ...NOTHING, remove: ["c", "via"], response: { set: { A: "9" }, add: { B: "5" }, remove: ["d"] } };
  const fields = new ResponseFields([], changes);
  const lines = ["A: 1", "a: 2", "B: 3", "C: 4", "D: 5", "via: 1.1 bws"];
  assertEquals(after(lines, [fields], true), ["B: 3", "A: 9", "B: 5"]);
  assertEquals(after(["A: 1", "C: 4"], [fields], false), ["A: 1", "C: 4"]);
});

Deno.test("headers of a site are set once on each response, and give way to what is set on those of upstreams", () => {
  const changes = { ...NOTHING, response: { set: { "x-frame-options": "upstream" }, add: {}, remove: [] } };
  const fields = new ResponseFields(["X-Frame-Options", "DENY", "Server", "a", "server", "b"], changes);
  assertEquals(after(["Server: x", "Cache-Control: no-store"], [fields], false), [
    ...["server: b", "Cache-Control: no-store", "X-Frame-Options: DENY"],
  ]);
  assertEquals(after(["Server: x", "X-Frame-Options: y"], [fields], true), [
    ...["x-frame-options: upstream", "server: b"],
  ]);
});

Deno.test("headers leaves the framing of a response alone", () => {
  const fields = new ResponseFields([], { ...NOTHING, remove: ["content-length"] });
  assertEquals(after(["content-length: 4"], [fields], true), ["content-length: 4"]);
});

Deno.test("headers is no filter where nothing is configured", () => {
  assertEquals(new ResponseFields([], NOTHING).changesNothing, true);
  assertEquals(new ResponseFields([], undefined).changesNothing, true);
  assertEquals(new ResponseFields(["A", "1"], undefined).changesNothing, false);
});

Deno.test("request_id is put where there is none, and not where the config takes the field away", () => {
  assertEquals(after(["A: 1"], [idFilter()], false), ["A: 1", "X-Request-Id: id-1"]);
  assertEquals(after(["x-request-id: theirs"], [idFilter()], true), ["x-request-id: theirs"]);
  assertEquals(after(["X-Request-Id: theirs"], [idFilter(NOTHING, "X-Trace")], true), [
    ...["X-Request-Id: theirs", "X-Trace: id-1"],
  ]);
  assertEquals(idFilter({ ...NOTHING, remove: ["x-request-id"] }), undefined);
  const own = new ResponseFields(["X-Request-Id", "mine"], undefined);
  assertEquals(after([], [own, idFilter()], false), ["X-Request-Id: mine"]);
});
