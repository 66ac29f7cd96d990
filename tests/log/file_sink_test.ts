// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileSink } from "../../lib/log/file_sink.ts";
import { gzipFile } from "../../lib/log/gzip_file.ts";
import { expired, oldFiles, periodOf, rotatedName, type Rotation } from "../../lib/log/rotation.ts";
import { LinesLost } from "../../lib/log/sink.ts";

const KEEPS_ALL: Rotation = { keep: 0, compress: false };
const HOUR_MS = 3_600_000;
const NOON_MS = Date.parse("2026-11-28T12:00:00Z");

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "bws-log-" });
  try {
    await run(`${folder}/access.log`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The content of a log file and its old files, the oldest first. */
async function contents(path: string): Promise<string[]> {
  const paths = [...(await oldFiles(path)).map((old) => old.path), path];
  return await Promise.all(paths.map(async (one) => {
    if (!one.endsWith(".gz")) return await Deno.readTextFile(one);
    const plain = (await Deno.open(one)).readable.pipeThrough(new DecompressionStream("gzip"));
    return await new Response(plain).text();
  }));
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("FileSink rotates a file before it is larger than its size", async () => {
  await inFolder(async (path) => {
    const sink = new FileSink(path, { ...KEEPS_ALL, size: 10 });
    for (const line of ["one\n", "two\n", "three\n", "a line of its own\n", "four\n"]) await sink.write(bytes(line));
    sink.close();
    await sink.tidied;
    assertEquals(await contents(path), ["one\ntwo\n", "three\n", "a line of its own\n", "four\n"]);
  });
});

Deno.test("FileSink rotates at the first line of a period, also one that begins while BWS is stopped", async () => {
  await inFolder(async (path) => {
    await Deno.writeTextFile(path, "yesterday\n");
    await Deno.utime(path, new Date(), new Date(NOON_MS - 24 * HOUR_MS));
    let nowMs = NOON_MS;
    const sink = new FileSink(path, { ...KEEPS_ALL, every: HOUR_MS }, () => nowMs);
    await sink.write(bytes("12:00\n"));
    nowMs += HOUR_MS - 1;
    await sink.write(bytes("12:59\n"));
    nowMs += 1;
    await sink.write(bytes("13:00\n"));
    sink.close();
    await sink.tidied;
    assertEquals(await contents(path), ["yesterday\n", "12:00\n12:59\n", "13:00\n"]);
    assertEquals((await oldFiles(path)).map((old) => old.path.slice(path.length)), [
      ".2026-11-28T120000.000Z",
      ".2026-11-28T130000.000Z",
    ]);
  });
});

Deno.test("Periods begin at midnight UTC, those of weeks on Monday", () => {
  const day = 24 * HOUR_MS;
  const at = (text: string) => Date.parse(text);
  assert(periodOf(at("2026-11-28T00:00:00Z"), day) > periodOf(at("2026-11-27T23:59:59.999Z"), day));
  assert(periodOf(at("2026-11-30T00:00:00Z"), 7 * day) > periodOf(at("2026-11-29T23:59:59.999Z"), 7 * day));
  assertEquals(periodOf(at("2026-11-30T00:00:00Z"), 7 * day), periodOf(at("2026-12-06T23:59:59Z"), 7 * day));
});

Deno.test("Two processes that rotate the same file lose no line and write none twice", async () => {
  await inFolder(async (path) => {
    let nowMs = NOON_MS;
    const sinks = [0, 1].map(() => new FileSink(path, { ...KEEPS_ALL, size: 40 }, () => nowMs));
    const lines = Array.from({ length: 60 }, (_, count) => `line ${count}\n`);
    for (const [count, line] of lines.entries()) {
      nowMs += 400;
      await sinks[count % 2].write(bytes(line));
    }
    for (const sink of sinks) {
      sink.close();
      await sink.tidied;
    }
    assertEquals((await contents(path)).join("").split(/(?<=\n)/).sort(), [...lines].sort());
  });
});

Deno.test("A rotated file keeps the permissions of the old one", { ignore: Deno.build.os === "windows" }, async () => {
  await inFolder(async (path) => {
    await Deno.writeTextFile(path, "before\n");
    await Deno.chmod(path, 0o640);
    const sink = new FileSink(path, { ...KEEPS_ALL, size: 8 });
    await sink.write(bytes("after\n"));
    sink.close();
    await sink.tidied;
    assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o640);
  });
});

Deno.test("Old files are compressed in a thread, and deleted beyond those that are kept; others are not touched", async () => {
  await inFolder(async (path) => {
    const old = [1, 2, 3].map((days) => rotatedName(path, NOON_MS - days * 24 * HOUR_MS));
    for (const [index, one] of old.entries()) {
      await Deno.writeTextFile(one, `${index + 1} days ago\n`);
      await Deno.utime(one, new Date(NOON_MS), new Date(NOON_MS - 24 * HOUR_MS));
    }
    await Deno.writeTextFile(`${path}.2026-notes`, "mine");
    await Deno.writeTextFile(`${path}.1`, "of logrotate");
    const sink = new FileSink(path, { size: 1000, keep: 2, compress: true }, () => NOON_MS);
    await sink.write(bytes("now\n"));
    await sink.tidied;
    sink.close();
    assertEquals((await oldFiles(path)).map((one) => one.path), [`${old[1]}.gz`, `${old[0]}.gz`]);
    assertEquals(await contents(path), ["2 days ago\n", "1 days ago\n", "now\n"]);
    assertEquals(await Deno.readTextFile(`${path}.2026-notes`), "mine");
    assertEquals(await Deno.readTextFile(`${path}.1`), "of logrotate");
  });
});

Deno.test("expired() goes by number and by age", () => {
  const files = [5, 4, 3, 2, 1].map((hours) => ({
    path: String(hours),
    compressed: true,
    rotatedMs: NOON_MS - hours * HOUR_MS,
  }));
  const names = (rotation: Omit<Rotation, "compress">) =>
    expired(files, { compress: true, ...rotation }, NOON_MS).map(({ path }) => path);
  assertEquals(names({ keep: 0 }), []);
  assertEquals(names({ keep: 3 }), ["5", "4"]);
  assertEquals(names({ keep: 10, keep_for: 2.5 * HOUR_MS }), ["5", "4", "3"]);
});

Deno.test("gzipFile() waits until a file is written no more, and loses nothing that was written meanwhile", async () => {
  await inFolder(async (path) => {
    await Deno.writeTextFile(path, "one\n");
    const compressed = gzipFile(path, 50);
    await Deno.writeTextFile(path, "two\n", { append: true });
    await compressed;
    const plain = (await Deno.open(`${path}.gz`)).readable.pipeThrough(new DecompressionStream("gzip"));
    assertEquals(await new Response(plain).text(), "one\ntwo\n");
    await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
  });
});

Deno.test("A header stands at the beginning of each file, and again where the fields change", async () => {
  await inFolder(async (path) => {
    const sink = new FileSink(path, { ...KEEPS_ALL, size: 40 });
    await sink.write(bytes("one\n"), "#Fields: a\n");
    await sink.write(bytes("two\n"), "#Fields: a\n");
    await sink.write(bytes("three, which is longer\n"), "#Fields: a\n");
    await sink.write(bytes("four\n"), "#Fields: b\n");
    // As logrotate's copytruncate does it.
    await Deno.truncate(path);
    await sink.write(bytes("five\n"), "#Fields: b\n");
    sink.close();
    await sink.tidied;
    assertEquals(await contents(path), [
      "#Fields: a\none\ntwo\n",
      "#Fields: b\nfive\n",
    ]);
  });
});

Deno.test(
  "FileSink.write() says how many lines a full disk has lost",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    const sink = new FileSink("/dev/full");
    const error = await assertRejects(() => sink.write(bytes("one\ntwo\n")), LinesLost, "No space left");
    assertEquals(error.count, 2);
    sink.close();
  },
);
