// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { detachBuffer } from "../../../lib/http/detach_buffer.ts";
import { Arena, COMMON_BYTES } from "../../../lib/sockets/linux/arena.ts";
import { cLibrary } from "../../../lib/sockets/linux/c_library.ts";
import { epollWorks } from "../../support/epoll_support.ts";

Deno.test(
  { name: "Arena: its memory cannot be detached, whoever takes a part of it for its own", ignore: !epollWorks },
  () => {
    const arena = new Arena(cLibrary());
    assertThrows(() => detachBuffer(arena.bytes.subarray(0, 10)), TypeError, "the memory of sockets");
    arena.put(8, 7);
    assertEquals([arena.bytes.length, arena.bytes[8]], [COMMON_BYTES, 7]);
  },
);
