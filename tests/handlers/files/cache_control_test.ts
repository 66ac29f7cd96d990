// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { cacheControl } from "../../../lib/handlers/files/cache_control.ts";

Deno.test("cacheControl() takes the path of a rule in each way to write it", () => {
  for (const path of ["/stra\u00dfe/", "/stra%c3%9fe/", "/stra%C3%9Fe/"]) {
    const valueOf = cacheControl({ rules: [{ path, control: "no-cache" }] });
    assertEquals([valueOf?.("/stra\u00dfe/x.css"), valueOf?.("/strasse/x.css")], ["no-cache", undefined], path);
  }
  assertEquals(cacheControl({ rules: [{ path: "/50%/", control: "no-cache" }] })?.("/50%/x"), "no-cache");
});
