/**
 * What `test_websocket_proxy.sh` asks of a WebSocket, one question a run, the answer on standard output:
 *
 *     client.ts names URL COUNT [hold]       who answers each of COUNT sockets that are open together; with hold, then how
 *                                            the first that ends does
 *     client.ts target URL                   path and query that reached the upstream
 *     client.ts header URL NAME [FIELD…]     the values of NAME that reached it, of a request with "NAME: VALUE" FIELDs
 *     client.ts protocol URL OFFERS          the subprotocol that was chosen of OFFERS, which commas separate
 *     client.ts echo URL                     whether text and binary come back as they were sent
 *     client.ts closed URL MESSAGE           code and reason with which the upstream closes after MESSAGE
 *     client.ts close URL CODE REASON        closes, and prints the code and reason of the answer
 *     client.ts refused URL                  "refused" if no socket opens
 *
 * @module
 */

import type { Greeting } from "../../lib/demo/sample_sockets.ts";

/** An open socket and its greeting; messages wait until they are asked for. */
class Client {
  readonly #socket: WebSocket;
  readonly #messages: (string | ArrayBuffer)[] = [];
  #onMessage: () => void = () => {};
  readonly ended: Promise<string>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.#messages.push(data);
      this.#onMessage();
    };
    this.ended = new Promise((resolve) => {
      socket.onclose = ({ code, reason }) => resolve(`${code} ${reason}`.trimEnd());
    });
  }

  static async open(url: string, options: { headers?: Headers; protocols?: string[] } = {}): Promise<Client> {
    const socket = new WebSocket(url, options);
    const client = new Client(socket);
    await Promise.race([
      new Promise((resolve) => socket.onopen = resolve),
      client.ended.then((status) => Promise.reject(new Error(`refused ${status}`))),
    ]);
    return client;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  send(data: string | ArrayBuffer): void {
    this.#socket.send(data);
  }

  async receive(): Promise<string | ArrayBuffer> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => this.#onMessage = resolve);
    }
  }

  async greeting(): Promise<Greeting> {
    return JSON.parse(String(await this.receive()));
  }

  async close(code = 1000, reason = ""): Promise<string> {
    this.#socket.close(code, reason);
    return await this.ended;
  }
}

async function names(url: string, count: number, hold: boolean): Promise<string> {
  const clients: Client[] = [];
  const found: string[] = [];
  for (let i = 0; i < count; i++) {
    const client = await Client.open(url);
    found.push((await client.greeting()).upstream);
    clients.push(client);
  }
  if (hold) {
    print(found.join("\n"));
    return `ended ${await Promise.race(clients.map((client) => client.ended))}`;
  }
  await Promise.all(clients.map((client) => client.close()));
  return found.join("\n");
}

async function greetingAt(url: string, fields: string[] = []): Promise<Greeting> {
  const headers = new Headers(fields.map((field): [string, string] => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()];
  }));
  const client = await Client.open(url, { headers });
  const greeting = await client.greeting();
  await client.close();
  return greeting;
}

async function echo(url: string): Promise<string> {
  const client = await Client.open(url);
  await client.greeting();
  const binary = Uint8Array.from({ length: 1 << 20 }, (_, index) => index * 31 % 251);
  const texts = ["hello", "", "Grüße, 世界 🌍", "x".repeat(200_000)];
  // All at once, so that their order is seen too.
  for (const text of texts) client.send(text);
  client.send(binary.buffer);
  const wrong: string[] = [];
  for (const text of texts) if (await client.receive() !== text) wrong.push(`text of ${text.length}`);
  const received = await client.receive();
  const bytes = typeof received === "string" ? undefined : new Uint8Array(received);
  if (bytes?.length !== binary.length || !bytes.every((byte, index) => byte === binary[index])) wrong.push("binary");
  await client.close();
  return wrong.length === 0 ? "the same" : `changed: ${wrong.join(", ")}`;
}

async function answer(question: string, url: string, [first = "", ...more]: string[]): Promise<string> {
  switch (question) {
    case "names":
      return await names(url, Number(first), more.includes("hold"));
    case "target":
      return (await greetingAt(url)).target;
    case "header":
      return (await greetingAt(url, more)).headers.filter(([name]) => name === first).map(([, value]) => value).join(
        "\n",
      );
    case "echo":
      return await echo(url);
    case "refused":
      return await Client.open(url).then(() => "accepted", () => "refused");
  }
  const client = await Client.open(url, question === "protocol" ? { protocols: first.split(",") } : {});
  await client.greeting();
  if (question === "close") return await client.close(Number(first), more.join(" "));
  if (question === "protocol") {
    await client.close();
    return client.protocol;
  }
  client.send(first);
  return await client.ended;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}

const [question, url, ...rest] = Deno.args;
print(await answer(question, url, rest));
Deno.exit();
