// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { epollWorks } from "../../support/epoll_support.ts";
import { uringWorks } from "../../support/uring_support.ts";

for (const [driver, works] of [["epoll", epollWorks], ["uring", uringWorks]] as const) {
  for (const [end, how] of [["terminated", "is terminated"], ["closed", "closes itself"]]) {
    Deno.test(
      { name: `${driver}: closeRemains() closes the sockets of a worker that ${how}`, ignore: !works },
      async () => {
        const program = new URL("../../support/remains_program.ts", import.meta.url).pathname;
        const config = new URL("../../../deno.json", import.meta.url).pathname;
        const args = ["run", "-A", "--no-check", "--config", config, program, driver, end];
        const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
        assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
      },
    );
  }
}
