// @ts-types="../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { type Contender, DialRace } from "../../lib/upstream/dial_race.ts";

/** A contender whose connection comes, or does not, when the test says so. */
class Runner implements Contender {
  readonly name: string;
  wasOvertaken = false;
  failedWith: unknown;
  connected = () => {};
  refused = (_error: unknown) => {};

  constructor(name: string) {
    this.name = name;
  }

  connect(onDialling: () => void): Promise<void> {
    onDialling();
    return new Promise((resolve, reject) => {
      this.connected = resolve;
      this.refused = reject;
    });
  }

  overtaken(): void {
    this.wasOvertaken = true;
  }

  failed(error: unknown): unknown {
    return this.failedWith = error;
  }
}

/** A race of `runners`, the first of which is off, and who was told of as lost. */
function raceOf(...runners: Runner[]) {
  const waiting = runners.slice(1);
  const lost: string[] = [];
  const race = new DialRace<Runner>(() => waiting.shift(), (runner, error) => lost.push(`${runner.name}: ${error}`));
  return { result: race.run(runners[0]), lost, waiting };
}

Deno.test("DialRace gives the first that has a connection, and asks nobody else meanwhile", async () => {
  const [a, b] = [new Runner("a"), new Runner("b")];
  const { result, waiting } = raceOf(a, b);
  a.connected();
  assertEquals(await result, { contender: a });
  assertEquals([waiting.length, a.wasOvertaken], [1, false]);
});

Deno.test("DialRace dials another upstream beside a silent one, and reports the late failure of that one", async () => {
  const [a, b, c] = [new Runner("a"), new Runner("b"), new Runner("c")];
  const { result, lost, waiting } = raceOf(a, b, c);
  while (waiting.length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
  b.connected();
  assertEquals(await result, { contender: b });
  assertEquals([a.wasOvertaken, b.wasOvertaken, lost], [true, false, []]);
  a.refused("late");
  await Promise.resolve();
  await Promise.resolve();
  assertEquals([a.failedWith, lost], ["late", []]);
});

Deno.test("DialRace goes on with others while one fails, and reports that one", async () => {
  const [a, b, c] = [new Runner("a"), new Runner("b"), new Runner("c")];
  const { result, lost, waiting } = raceOf(a, b, c);
  while (waiting.length > 1) await new Promise((resolve) => setTimeout(resolve, 20));
  b.refused("no");
  // The next one is dialled at once.
  while (waiting.length > 0) await Promise.resolve();
  assertEquals(lost, ["b: no"]);
  a.connected();
  assertEquals(await result, { contender: a });
  assertEquals([b.failedWith, c.wasOvertaken], [undefined, true]);
});

Deno.test("DialRace gives the last that failed, with its error, and does not report it as well", async () => {
  const [a, b] = [new Runner("a"), new Runner("b")];
  const { result, lost, waiting } = raceOf(a, b);
  while (waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  a.refused("one");
  b.refused("two");
  assertEquals(await result, { contender: b, error: "two" });
  assertEquals([lost, a.failedWith, b.failedWith], [["a: one"], undefined, undefined]);
});
