// @ts-types="../../../types/std/assert.d.ts"
import { assert } from "@std/assert";
import { Arena } from "../../../lib/sockets/linux/arena.ts";
import { cLibrary } from "../../../lib/sockets/linux/c_library.ts";
import { monotonicClock } from "../../../lib/sockets/linux/monotonic_clock.ts";
import { epollWorks } from "../../support/epoll_support.ts";

Deno.test({
  name: "monotonicClock() reads the time of performance.now(), is not ahead of it, and never goes back",
  ignore: !epollWorks,
  fn() {
    const readMs = monotonicClock(cLibrary(), new Arena(cLibrary()));
    let before = 0;
    // The two readings of one try are as close as the machine lets them be.
    let closest = Infinity;
    for (let tries = 0; tries < 10_000; tries++) {
      const ms = readMs();
      const behindMs = performance.now() - ms;
      assert(ms >= before && behindMs >= 0, `${ms} after ${before}, ${behindMs} ms behind`);
      before = ms;
      closest = Math.min(closest, behindMs);
    }
    assert(closest < 1, `${closest} ms behind`);
  },
});
