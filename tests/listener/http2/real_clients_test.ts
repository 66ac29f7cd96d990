/**
 * Clients of other makers against the listener. A client that this machine does not have is not asked.
 *
 * @module
 */

// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "node:http2";
import { within } from "../../support/condition.ts";
import { RunningProxy } from "../../support/running_proxy.ts";
import { answerOf, ScriptedUpstream } from "../../support/scripted_upstream.ts";

const server = { listener: "own" } as const;

function has(program: string): boolean {
  try {
    return new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

async function run(program: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" });
  const { stdout, stderr } = await within(20_000, program, command.output());
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** An upstream that sends each body back. */
function echo(): ScriptedUpstream {
  return ScriptedUpstream.start(async (peer) => {
    for (let request = await peer.request(); request !== undefined; request = await peer.request()) {
      await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${request.body.length}\r\n\r\n`);
      await peer.send(request.body);
    }
  });
}

Deno.test("curl uploads and downloads 3 MB over HTTP/2", { ignore: !has("curl") }, async () => {
  await using upstream = echo();
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  const file = await Deno.makeTempFile();
  const got = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, new Uint8Array(3_000_000).map((_, index) => index % 253));
    const args = [
      "-sS",
      "-m",
      "20",
      "--http2-prior-knowledge",
      "-T",
      file,
      "-o",
      got,
      "-w",
      "%{http_version} %{http_code}",
    ];
    assertEquals(await run("curl", ...args, `http://127.0.0.1:${proxy.port}/x`), "2 200");
    assertEquals(await Deno.readFile(got), await Deno.readFile(file));
  } finally {
    await Deno.remove(file);
    await Deno.remove(got);
  }
});

Deno.test("nghttp gets several responses on one connection", { ignore: !has("nghttp") }, async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("hello"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  const urls = Array.from({ length: 10 }, (_, index) => `http://127.0.0.1:${proxy.port}/${index}`);
  const output = await run("nghttp", "-nsv", "-c", "200", ...urls);
  assertEquals(output.match(/:status: 200/g)?.length, 10, output);
  assertEquals(/error_code=(?!NO_ERROR)/.test(output), false, output);
});

Deno.test("h2load gets all of 2000 responses over 100 streams", { ignore: !has("h2load") }, async () => {
  await using upstream = ScriptedUpstream.answering(answerOf("hello"));
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  const output = await run("h2load", "-n", "2000", "-c", "10", "-m", "10", `http://127.0.0.1:${proxy.port}/`);
  assertMatch(output, /2000 succeeded, 0 failed, 0 errored, 0 timeout/);
});

Deno.test("node:http2 sends and gets bodies and trailers on many streams at once", async () => {
  await using upstream = echo();
  await using proxy = await RunningProxy.start({ upstreams: [upstream.url], server });
  const session = connect(`http://127.0.0.1:${proxy.port}`);
  try {
    const all = Array.from({ length: 50 }, (_, index) => {
      const stream = session.request({ ":method": "POST", ":path": `/${index}` });
      const pieces: Uint8Array[] = [];
      stream.on("data", (piece: Uint8Array) => pieces.push(piece));
      stream.end(`${index} `.repeat(20_000));
      return new Promise<number>((resolve, reject) => {
        stream.on("error", reject).on("end", () => resolve(pieces.reduce((sum, piece) => sum + piece.length, 0)));
      });
    });
    const lengths = await within(20_000, "all responses", Promise.all(all));
    assertEquals(lengths, lengths.map((_, index) => `${index} `.length * 20_000));
  } finally {
    session.destroy();
  }
});
