// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertLess } from "@std/assert";
import { createHash } from "node:crypto";
import { within } from "../support/condition.ts";
import { header, statusOf, text } from "../support/message_reader.ts";
import * as peers from "../support/peer_programs.ts";
import { ProxyProcess } from "../support/proxy_process.ts";
import { exchange, get, head } from "../support/raw_client.ts";

const SIZES = [0, 1, 65_536, 1_000_000, 100_000_000];
/**
 * What a body of 100 MB may add to the most memory that the proxy ever had, once others of that size have passed. The
 * first ones fill the room that the engine gives to garbage; a body that is held whole adds all of itself, and what is under
 * way on a busy machine some 40 MB.
 */
const MEMORY_BYTES = 60_000_000;

interface Scene {
  peer: peers.PeerProgram;
  proxy: ProxyProcess;
  url: string;
}

type Case = [name: string, needs: readonly peers.PeerSkill[], run: (scene: Scene) => Promise<void>];

const CASES: readonly Case[] = [
  ...SIZES.map((size): Case => [`GET ${named(size)}`, [], (scene) => download(scene, size)]),
  ...SIZES.map((size): Case => [`POST ${named(size)}`, ["echo"], (scene) => upload(scene, size, false)]),
  ...SIZES.slice(1).map((
    size,
  ): Case => [`POST ${named(size)} chunked`, ["echo"], (scene) => upload(scene, size, true)]),
  ["HEAD", [], async ({ proxy }) => {
    const got = await exchange(proxy.port, head("/bytes/65536"), "HEAD");
    assertEquals([statusOf(got), header(got, "content-length"), got.body.length], [200, "65536", 0]);
  }],
  ["chunked", ["chunked"], async ({ proxy }) => {
    const got = await exchange(proxy.port, get("/chunked"));
    assertEquals([statusOf(got), text(got.body) === peers.FILE_TEXT, got.whole], [200, true, true]);
  }],
  ["gzip untouched", ["gzip"], async ({ peer, proxy }) => {
    const request = get("/gzip", "Accept-Encoding: gzip\r\n");
    const [straight, proxied] = [await exchange(peer.port, request), await exchange(proxy.port, request)];
    assertEquals([header(proxied, "content-encoding"), proxied.whole], ["gzip", true]);
    assertEquals(proxied.body, straight.body);
    const plain = new Blob([proxied.body]).stream().pipeThrough(new DecompressionStream("gzip"));
    assertEquals(await new Response(plain).text(), peers.FILE_TEXT);
  }],
  ["304", ["conditional"], async ({ proxy }) => {
    const etag = header(await exchange(proxy.port, get("/file")), "etag") as string;
    const got = await exchange(proxy.port, get("/file", `If-None-Match: ${etag}\r\n`));
    assertEquals([statusOf(got), header(got, "etag"), got.body.length], [304, etag, 0]);
  }],
  ["206", ["range"], async ({ proxy }) => {
    const got = await exchange(proxy.port, get("/file", "Range: bytes=10-19\r\n"));
    assertEquals([statusOf(got), text(got.body)], [206, "0123456789"]);
    assertEquals(header(got, "content-range"), `bytes 10-19/${peers.FILE_TEXT.length}`);
  }],
  ["SSE at once", ["sse"], async ({ peer, url }) => {
    const response = await fetch(`${url}/sse`);
    const events = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
    for (let i = 0; i < 5; i++) {
      // The next event is not sent before this one has arrived, so nothing on the way can have waited for more.
      await peer.sendEvent();
      const event = await within(2000, `event ${i}`, events.read());
      assertEquals(event.value, `data: ${i}\n\n`);
    }
    assertEquals((await events.read()).done, true);
  }],
];

const STARTERS: readonly [name: string, start: () => Promise<peers.PeerProgram | undefined>][] = [
  ["Node http", peers.startNode],
  ["Deno.serve", peers.startDeno],
  ["Python http.server", peers.startPython],
  ["nginx", peers.startNginx],
];

const table = new Map<string, string[]>();

for (const [name, start] of STARTERS) {
  Deno.test(`BWS in front of ${name}`, async (t) => {
    await using peer = await start();
    if (peer === undefined) {
      say(`BWS in front of ${name}: skipped, the program is not on this machine\n`);
      return;
    }
    await using proxy = await ProxyProcess.start({ upstreams: [`http://127.0.0.1:${peer.port}`] });
    const url = `http://127.0.0.1:${proxy.port}`;
    await hashOf((await fetch(`${url}/bytes/${SIZES[4]}`)).body);
    if (peer.skills.has("echo")) {
      const body = new Blob([peers.patternBytes(SIZES[4])]);
      for (const sent of [body, body.stream()]) {
        await hashOf((await fetch(`${url}/echo`, { method: "POST", body: sent })).body);
      }
    }
    const row: string[] = [];
    for (const [what, needs, run] of CASES) {
      if (needs.some((skill) => !peer.skills.has(skill))) {
        row.push("-");
        continue;
      }
      const startMs = performance.now();
      const passed = await t.step(what, () => run({ peer, proxy, url }));
      row.push(passed ? `${Math.round(performance.now() - startMs)} ms` : "FAILED");
    }
    table.set(name, row);
    const status = await proxy.settled(({ underWay }) => underWay === 0, 2000);
    assertEquals([status.underWay, status.inFlight], [0, 0]);
  });
}

Deno.test("the table of peers and cases", () => {
  const names = [...table.keys()];
  const lines = CASES.map(([what], i) => [what, ...names.map((name) => (table.get(name) as string[])[i])]);
  const rows = [["", ...names], ...lines];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  say(rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ")).join("\n") + "\n");
  assert(names.length > 0);
});

async function download({ proxy, url }: Scene, size: number): Promise<void> {
  const before = await proxy.status();
  const response = await fetch(`${url}/bytes/${size}`, { headers: { "accept-encoding": "identity" } });
  assertEquals([response.status, await hashOf(response.body)], [200, expectedHash(size)]);
  await assertFlat(proxy, before.peakBytes);
}

async function upload({ proxy, url }: Scene, size: number, chunked: boolean): Promise<void> {
  const before = await proxy.status();
  const blob = new Blob([peers.patternBytes(size)]);
  const response = await fetch(`${url}/echo`, { method: "POST", body: chunked ? blob.stream() : blob });
  assertEquals([response.status, await hashOf(response.body)], [200, expectedHash(size)]);
  await assertFlat(proxy, before.peakBytes);
}

async function assertFlat(proxy: ProxyProcess, peakBytes: number): Promise<void> {
  const after = await proxy.status();
  assertLess(after.peakBytes - peakBytes, MEMORY_BYTES);
}

async function hashOf(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const hash = createHash("sha1");
  for await (const chunk of body ?? []) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

const hashes = new Map<number, string>();

function expectedHash(size: number): string {
  let hash = hashes.get(size);
  if (hash === undefined) hashes.set(size, hash = createHash("sha1").update(peers.patternBytes(size)).digest("hex"));
  return hash;
}

function named(size: number): string {
  return size >= 1_000_000 ? `${size / 1_000_000} MB` : size >= 1024 ? `${size / 1024} KiB` : `${size} B`;
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line));
}
