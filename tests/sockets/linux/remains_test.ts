// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { epollWorks } from "../../support/epoll_support.ts";

for (const [end, how] of [["terminated", "is terminated"], ["closed", "closes itself"]]) {
  Deno.test({ name: `closeRemains() closes the sockets of a worker that ${how}`, ignore: !epollWorks }, async () => {
    const program = new URL("../../support/epoll_remains_program.ts", import.meta.url).pathname;
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", "--config", config, program, end];
    const { code, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  });
}
