// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { acceptedCodings } from "../../../lib/handlers/files/content_coding.ts";
import { stronglyListed, weaklyListed } from "../../../lib/handlers/files/entity_tag.ts";
import { formatHttpDate, parseHttpDate } from "../../../lib/handlers/files/http_date.ts";
import { mediaTypeOf } from "../../../lib/http/media_type.ts";
import { compileTryFiles } from "../../../lib/handlers/files/try_files.ts";

const NOW = Date.UTC(2026, 0, 1);

Deno.test("parseHttpDate() reads the three forms of RFC 9110", () => {
  const time = Date.UTC(1994, 10, 6, 8, 49, 37);
  assertStrictEquals(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT", NOW), time);
  assertStrictEquals(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", NOW), time);
  assertStrictEquals(parseHttpDate("Sun Nov  6 08:49:37 1994", NOW), time);
  assertStrictEquals(parseHttpDate("Sunday, 06-Nov-50 08:49:37 GMT", NOW), Date.UTC(2050, 10, 6, 8, 49, 37));
  assertStrictEquals(parseHttpDate("Fri, 01 Jan 0099 00:00:00 GMT", NOW), new Date("0099-01-01T00:00:00Z").getTime());
});

Deno.test("parseHttpDate() takes nothing else for a date", () => {
  const values = [
    ...["", "0", "now", "2024-01-01", "2024-01-01T00:00:00Z", "Sun, 06 Nov 1994 08:49:37", "1", "-1", "1e400"],
    ...["Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:00:00 GMT"],
    ...["sun, 06 nov 1994 08:49:37 gmt", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", "\xff"],
  ];
  for (const value of values) assertStrictEquals(parseHttpDate(value, NOW), undefined, value);
});

Deno.test("formatHttpDate() writes what parseHttpDate() reads, and nothing for years out of reach", () => {
  for (const time of [0, 1e12, Date.UTC(9999, 11, 31, 23, 59, 59)]) {
    assertStrictEquals(parseHttpDate(formatHttpDate(time) ?? "", NOW), time);
  }
  for (const time of [-1, NaN, Infinity, Date.UTC(10000, 0, 1)]) assertStrictEquals(formatHttpDate(time), undefined);
});

Deno.test("entity tags in lists are found, malformed ones match nothing and never throw", () => {
  for (const list of ['"a"', 'W/"a"', '"x", "a"', '"x,y" ,,W/"a"', "*", " * "]) {
    assertStrictEquals(weaklyListed(list, '"a"'), true, list);
  }
  assertStrictEquals(stronglyListed('"x","a"', '"a"'), true);
  assertStrictEquals(stronglyListed('W/"a"', '"a"'), false);
  assertStrictEquals(stronglyListed("*", undefined), true);
  for (const list of ["", "a", '"a', 'W/a, "a"', 'w/"a"', "W/", '"', "**", ",,,", "'a'", '\\"a"', "\xff\x00"]) {
    assertStrictEquals(weaklyListed(list, '"a"'), false, list);
    assertStrictEquals(stronglyListed(list, '"a"'), false, list);
  }
  assertStrictEquals(weaklyListed('"'.repeat(60_000), '"a"'), false);
});

Deno.test("acceptedCodings() ranks codings as RFC 9110 weighs them", () => {
  assertEquals(acceptedCodings(undefined), [""]);
  assertEquals(acceptedCodings("gzip, deflate, br, zstd"), ["br", "zstd", "gzip", ""]);
  assertEquals(acceptedCodings("br;q=0.5, gzip;q=0.9"), ["gzip", "br", ""]);
  assertEquals(acceptedCodings("br;q=0, *"), ["zstd", "gzip", ""]);
  assertEquals(acceptedCodings("*;q=0"), [""]);
  assertEquals(acceptedCodings("identity, gzip;q=0.5"), [""]);
  assertEquals(acceptedCodings("X-GZIP ; Q=1.000"), ["gzip", ""]);
  assertEquals(acceptedCodings("gzip;q=2, br;q=, zstd;q=0.1234"), [""]);
  assertEquals(acceptedCodings(";;;,=,q=1,\xff"), [""]);
});

Deno.test("mediaTypeOf() knows text as UTF-8 and calls the unknown octet-stream", () => {
  assertStrictEquals(mediaTypeOf("/index.HTML"), "text/html; charset=UTF-8");
  assertStrictEquals(mediaTypeOf("a.mjs"), "text/javascript; charset=UTF-8");
  assertStrictEquals(mediaTypeOf("a.svg"), "image/svg+xml; charset=UTF-8");
  assertStrictEquals(mediaTypeOf("a.jsonld"), "application/ld+json; charset=UTF-8");
  assertStrictEquals(mediaTypeOf("a.wasm"), "application/wasm");
  for (const path of ["a", "/.html", "/x.y/a", "a.constructor", "a.__proto__", "a.", "a.unheard"]) {
    assertStrictEquals(mediaTypeOf(path), "application/octet-stream", path);
  }
});

Deno.test("compileTryFiles() fills its templates in and refuses others", () => {
  const rules = { dotfiles: false, windows: false };
  const of = (...templates: string[]) => compileTryFiles(templates, rules);
  assertEquals(of().candidates("/a"), ["/a", "/a/"]);
  assertEquals(of().candidates("/a/"), ["/a/"]);
  const all = of("$path", "$path.html", "$path/", "/index.html", "=410");
  assertEquals(all.candidates("/a"), ["/a", "/a.html", "/a/", "/index.html"]);
  assertEquals(all.candidates("/a/"), ["/a/", "/index.html"]);
  assertStrictEquals(all.missingStatus, 410);
  assertEquals(of("$path/.git", "/../x", "/ok").candidates("/a"), ["/ok"]);
  for (const bad of [["index.html"], ["=200"], ["=4040"], ["=404", "$path"], [""]]) {
    assertThrows(() => compileTryFiles(bad, rules), TypeError, "try_files");
  }
});
