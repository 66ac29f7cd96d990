// @ts-types="../../types/std/assert.d.ts"
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Log } from "../../lib/log/log.ts";
import { openSink } from "../../lib/log/open_sink.ts";
import { SyslogMessages } from "../../lib/log/syslog_message.ts";
import { syslogTarget } from "../../lib/log/syslog_target.ts";
import { until, within } from "../support/condition.ts";
import { freePort } from "../support/port.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const logTo = (output: string) =>
  new Log(openSink(output, { syslog: { facility: "local0", app_name: "shop", hostname: "here" } }), { output });

Deno.test("syslogTarget() reads what a config may name", () => {
  assertEquals(syslogTarget("syslog"), { transport: "unix", path: "/dev/log" });
  assertEquals(syslogTarget("syslog+unix:/run/log.sock"), { transport: "unix", path: "/run/log.sock" });
  assertEquals(syslogTarget("syslog+unix:///run/log.sock"), { transport: "unix", path: "/run/log.sock" });
  assertEquals(syslogTarget("syslog+udp://logs.example"), { transport: "udp", hostname: "logs.example", port: 514 });
  assertEquals(syslogTarget("syslog+tcp://[fd00::1]:601"), { transport: "tcp", hostname: "fd00::1", port: 601 });
  for (
    const wrong of ["syslog://x", "syslog+tls://x", "syslog+udp://", "syslog+tcp://x:99999", "syslog+unix:relative"]
  ) {
    assertEquals(syslogTarget(wrong), undefined, wrong);
  }
});

Deno.test("A message has the form of RFC 5424, and the severity of its line", () => {
  const now = new Date("2026-11-28T12:00:00.5Z");
  const messages = new SyslogMessages({ facility: "local0", app_name: "shop", hostname: "here" }, { local: false });
  const message = (line: string) => text(messages.message(new TextEncoder().encode(line), now));
  const line = '{"time":"2026-11-28T12:00:00.000Z","level":"error","message":"m"}';
  assertEquals(message(line), `<131>1 2026-11-28T12:00:00.500Z here shop ${Deno.pid} - - ${line}`);
  assertEquals(message('1.2.3.4 - - "GET /"').slice(0, 5), "<134>");
  assertEquals(message("2026-11-28T12:00:00.000Z warn low on space").slice(0, 5), "<132>");
  // Lines of a text such as "{client.ip} {method} {path}", whose words clients choose.
  assertEquals(message("192.0.2.1 constructor /").slice(0, 5), "<134>");
  assertEquals(message("192.0.2.1 error /").slice(0, 5), "<134>");
});

Deno.test("A message that is too long is cut between two characters", () => {
  const messages = new SyslogMessages({ hostname: "here" }, { local: false });
  const long = messages.message(new TextEncoder().encode("ä".repeat(10_000)), new Date());
  assert(long.length <= 8192 && long.length > 8100);
  assertMatch(text(long), /ä$/);
});

Deno.test("Lines go to a syslog server over UDP, one a datagram", async () => {
  const server = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const log = logTo(`syslog+udp://127.0.0.1:${(server.addr as Deno.NetAddr).port}`);
  log.line("one");
  log.log("error", "two");
  await log.flush();
  const received = [text((await server.receive())[0]), text((await server.receive())[0])];
  assertMatch(received[0], /^<134>1 \S+ here shop \d+ - - one$/);
  assertMatch(received[1], /^<131>1 \S+ here shop \d+ - - \{.*"message":"two"\}$/);
  log.close();
  server.close();
});

Deno.test("Lines go to a unix socket of datagrams in the form that its readers know", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const folder = await Deno.makeTempDir();
  const server = Deno.listenDatagram({ transport: "unixpacket", path: `${folder}/log` });
  const log = logTo(`syslog+unix:${folder}/log`);
  log.line("one");
  await log.flush();
  assertMatch(text((await server.receive())[0]), /^<134>\w{3} [ \d]\d \d\d:\d\d:\d\d shop\[\d+\]: one$/);
  log.close();
  server.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test(
  "Lines go to a unix socket of streams with octet counting",
  { ignore: Deno.build.os !== "linux" },
  async () => {
    const folder = await Deno.makeTempDir();
    const server = Deno.listen({ transport: "unix", path: `${folder}/log` });
    const log = logTo(`syslog+unix:${folder}/log`);
    log.line("one");
    const client = await server.accept();
    const buffer = new Uint8Array(1000);
    const received = text(buffer.subarray(0, await client.read(buffer) ?? 0));
    const [, length, message] = /^(\d+) (.*)$/.exec(received) ?? [];
    assertEquals(Number(length), message.length);
    await log.flush();
    log.close();
    client.close();
    server.close();
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test("Lines over TCP wait for a server that is away and are framed by octet counting", async () => {
  const port = freePort();
  const log = logTo(`syslog+tcp://127.0.0.1:${port}`);
  log.line("one");
  log.line("zwei ä");
  const flushed = log.flush();
  const server = Deno.listen({ hostname: "127.0.0.1", port });
  const first = await within(5000, "a connection", server.accept());
  let received = "";
  const read = async (socket: Deno.Conn, count: number) => {
    received = "";
    const buffer = new Uint8Array(1000);
    while ((received.match(/ - - /g) ?? []).length < count) {
      received += text(buffer.subarray(0, await socket.read(buffer) ?? 0));
    }
  };
  await read(first, 2);
  await flushed;
  assertEquals(frames(new TextEncoder().encode(received)).map((frame) => frame.split(" - - ")[1]), ["one", "zwei ä"]);
  // A server that closes is noticed before a line is written into the void.
  first.close();
  const second = server.accept();
  await until("the next line arrives over another connection", async () => {
    log.line("three");
    await log.flush();
    return await Promise.race([second.then(() => true), new Promise<boolean>((done) => setTimeout(() => done(false)))]);
  });
  await read(await second, 1);
  assertEquals(log.losses, [{ output: `syslog+tcp://127.0.0.1:${port}`, lost: 0 }]);
  log.close();
  (await second).close();
  server.close();
});

Deno.test("A server that is away costs bounded memory and no waiting, and its lines are counted", async () => {
  const output = `syslog+tcp://127.0.0.1:${freePort()}`;
  const said: string[] = [];
  const log = new Log(async (bytes) => void said.push(text(bytes)), { open: (name) => openSink(name) });
  const writer = log.writerOf({ output });
  const line = "x".repeat(64 * 1024);
  for (let count = 0; count < 400; count++) writer.line(line);
  const lost = () => log.losses.find((one) => one.output === output)?.lost ?? 0;
  assert(lost() > 100, "above the limit of memory lines are lost at once");
  assert(await log.drain(20) > 0);
  log.close();
  await until("all lines are counted", () => lost() === 400);
  await log.flush();
  const failures = said.join("").split("\n").filter((one) => one.includes("Cannot write log lines"));
  assertEquals(failures.map((one) => JSON.parse(one).output), [output]);
});

/** Messages that are framed by octet counting. */
function frames(bytes: Uint8Array): string[] {
  const found: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const end = space + 1 + Number(text(bytes.subarray(at, space)));
    found.push(text(bytes.subarray(space + 1, end)));
    at = end;
  }
  return found;
}
