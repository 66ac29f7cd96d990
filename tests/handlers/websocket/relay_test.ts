// @ts-types="../../../types/std/assert.d.ts"
import { assertEquals } from "@std/assert";
import { CoarseClock } from "../../../lib/state/coarse_clock.ts";
import type { CloseStatus } from "../../../lib/handlers/websocket/close_status.ts";
import { Relay } from "../../../lib/handlers/websocket/relay.ts";
import type { Message, SocketEnd, SocketEndListener } from "../../../lib/handlers/websocket/socket_end.ts";

/** An end that notes what it is told, and takes nothing by itself. */
class NotedEnd implements SocketEnd {
  bufferedBytes = 0;
  readonly told: string[] = [];
  listener: SocketEndListener | undefined;
  readonly #pausable: boolean;

  constructor(pausable = true) {
    this.#pausable = pausable;
  }

  start(listener: SocketEndListener): void {
    this.listener = listener;
    this.told.push("start");
  }

  send(message: Message): void {
    this.bufferedBytes += message.bytes.length;
    this.told.push(`send ${message.bytes.length}`);
  }

  close({ code }: CloseStatus): void {
    this.told.push(`close ${code}`);
  }

  pause(): boolean {
    this.told.push("pause");
    return this.#pausable;
  }

  resume(): void {
    this.told.push("resume");
  }

  destroy(): void {
    this.told.push("destroy");
    this.listener?.onEnded();
  }

  tick(): void {}

  says(bytes: number): void {
    this.listener?.onMessage({ text: false, bytes: new Uint8Array(bytes) });
  }
}

interface Joined {
  client: NotedEnd;
  upstream: NotedEnd;
  relay: Relay;
  ended: string[];
}

function joined(pausable = true): Joined {
  const client = new NotedEnd(pausable);
  const upstream = new NotedEnd();
  const ended: string[] = [];
  const clock = new CoarseClock();
  const config = { max_buffered: 100, max_message: 1000, idle_timeout: 1000 };
  const relay = new Relay(client, upstream, { clock, config }, {
    upstreamEnded: () => ended.push("upstream"),
    webSocketEnded: () => ended.push("both"),
  });
  relay.start();
  return { client, upstream, relay, ended };
}

function end({ client, upstream }: Joined): void {
  client.listener?.onEnded();
  upstream.listener?.onEnded();
}

Deno.test("Relay reads the upstream only once the client is open", () => {
  const pair = joined();
  assertEquals(pair.upstream.told, []);
  pair.client.listener?.onOpen();
  assertEquals(pair.upstream.told, ["start"]);
  end(pair);
});

Deno.test("Relay responds to an upstream's close only when the client has closed, and passes its messages until then", () => {
  const pair = joined();
  const { client, upstream, relay, ended } = pair;
  client.listener?.onOpen();
  upstream.listener?.onClose({ code: 4001, reason: "" });
  client.says(7);
  assertEquals(client.told, ["start", "close 4001"]);
  assertEquals(upstream.told, ["start", "send 7"]);
  client.listener?.onClose({ code: 4002, reason: "" });
  assertEquals(upstream.told.at(-1), "close 4002");
  end(pair);
  assertEquals(relay.status.code, 4001);
  assertEquals(ended, ["upstream", "both"]);
});

Deno.test("Relay closes an upstream with 1001 when its client is lost, even before it was open", () => {
  const pair = joined();
  pair.client.listener?.onLost({ cause: "gone", owner: "client" });
  assertEquals(pair.upstream.told, ["start", "close 1001"]);
  end(pair);
  assertEquals([pair.relay.status.code, pair.relay.cause, pair.relay.causeOwner], [1006, "gone", "client"]);
});

Deno.test("Relay closes a client with 1014 when its upstream is lost", () => {
  const pair = joined();
  pair.client.listener?.onOpen();
  pair.upstream.listener?.onLost({ cause: "gone", owner: "upstream" });
  assertEquals(pair.client.told, ["start", "close 1014"]);
  end(pair);
  assertEquals([pair.relay.status.code, pair.relay.cause, pair.relay.causeOwner], [1014, "gone", "upstream"]);
});

Deno.test("Relay pauses a client beyond the bound, once, and resumes it when half of it is gone", async () => {
  const pair = joined();
  const { client, upstream } = pair;
  client.listener?.onOpen();
  for (let i = 0; i < 3; i++) client.says(90);
  assertEquals(client.told, ["start", "pause"]);
  upstream.bufferedBytes = 51;
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(client.told.includes("resume"), false);
  const resumed = new Promise<void>((resolve) => client.resume = resolve);
  upstream.bufferedBytes = 50;
  await resumed;
  end(pair);
});

Deno.test("Relay closes a client that cannot be paused with 1013, and keeps none of what is beyond the bound", () => {
  const pair = joined(false);
  const { client, upstream, relay } = pair;
  client.listener?.onOpen();
  for (let i = 0; i < 5; i++) client.says(90);
  assertEquals(client.told.at(-1), "close 1013");
  assertEquals(upstream.told.slice(0, 4), ["start", "send 90", "send 90", "close 1001"]);
  end(pair);
  assertEquals([relay.status.code, relay.causeOwner, relay.receivedBytes], [1013, "upstream", 180]);
});

Deno.test("Relay closes with 1013 when an end takes nothing for idle_timeout, and not while it takes", () => {
  const pair = joined();
  const { client, upstream, relay } = pair;
  client.listener?.onOpen();
  upstream.says(90);
  for (let nowMs = 0; nowMs <= 5000; nowMs += 500) {
    relay.tick(nowMs);
    client.bufferedBytes--;
  }
  assertEquals(client.told.includes("close 1013"), false);
  client.bufferedBytes++;
  for (let nowMs = 5500; nowMs <= 7000; nowMs += 500) relay.tick(nowMs);
  assertEquals(client.told.at(-1), "close 1013");
  assertEquals(upstream.told.at(-1), "close 1001");
  end(pair);
  assertEquals(relay.causeOwner, "client");
});

Deno.test("Relay closes a client whose message is too large with 1009", () => {
  const pair = joined();
  pair.client.listener?.onOpen();
  pair.client.says(1001);
  assertEquals(pair.client.told.at(-1), "close 1009");
  assertEquals(pair.upstream.told, ["start", "close 1001"]);
  end(pair);
});

Deno.test("Relay.destroy() ends both sides, even those that never began", () => {
  const { client, upstream, relay, ended } = joined();
  relay.destroy();
  assertEquals([client.told.at(-1), upstream.told.at(-1)], ["destroy", "destroy"]);
  assertEquals(ended, ["upstream", "both"]);
  assertEquals([relay.status.code, relay.cause], [1006, "The proxy shut down"]);
});
