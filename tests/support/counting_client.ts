/**
 * A client of {@link ./counting_upstream.ts} that counts too, and connects anew when its upstream is gone.
 *
 * @module
 */

// @ts-types="../../types/ws.d.ts"
import { WebSocket } from "npm:ws@8.23.0";
import { judge, numbered } from "./numbered_message.ts";

/** How one connection went. */
export interface Talk {
  /** Its path, and so its name. */
  name: string;
  /** Process of its upstream; 0 until that has greeted. */
  pid: number;
  got: number;
  sent: number;
  /** Whether everything that the upstream had sent had come when it said so. */
  complete: boolean;
  /** Close code; 0 while it is open. */
  code: number;
}

/** A client. */
export class CountingClient {
  /** All its connections, the present one last. */
  readonly talks: Talk[] = [];
  /** What went wrong. */
  readonly faults: string[] = [];
  /** Connections that were refused. */
  refusals = 0;
  readonly #url: string;
  #socket: WebSocket | undefined;
  #leaving = false;

  /** @param url Where it connects; a number is added for each connection. */
  constructor(url: string) {
    this.#url = url;
    this.#connect();
  }

  /** The present connection, once its upstream has greeted and it is open. */
  get live(): Talk | undefined {
    const talk = this.talks.at(-1);
    // A connection that vanished or is closing has no code yet.
    return talk !== undefined && talk.pid > 0 && this.#socket?.readyState === 1 ? talk : undefined;
  }

  /** Sends the next messages. */
  say(count: number): void {
    const talk = this.live;
    // An upstream that has said goodbye is still sent to, until its Close frame comes.
    for (let i = 0; i < count && talk !== undefined && !this.#leaving; i++) {
      this.#socket?.send(numbered("c", talk.sent++));
    }
  }

  /** Vanishes without a Close frame, and comes back. */
  vanish(): void {
    this.#socket?.terminate();
  }

  /** Says goodbye, once it is greeted if it was not yet, and does not come back. */
  leave(): void {
    this.#leaving = true;
    this.#sayGoodbye();
  }

  #sayGoodbye(): void {
    const talk = this.live;
    if (talk !== undefined) this.#socket?.send(`bye:${talk.sent}`);
  }

  #connect(): void {
    const talk: Talk = { name: "", pid: 0, got: 0, sent: 0, complete: false, code: 0 };
    const name = `${this.#url}-${this.talks.length}`;
    talk.name = new URL(name).pathname;
    this.talks.push(talk);
    const socket = this.#socket = new WebSocket(name, [], { perMessageDeflate: false });
    socket.on("message", (data) => this.#receive(talk, decoder.decode(data)));
    // Before the socket opened it was refused: that is told by the close that follows.
    socket.on("error", () => {});
    socket.on("close", (code) => {
      talk.code = code;
      if (talk.pid === 0) this.refusals++;
      if (this.#leaving) return;
      if (talk.pid === 0) setTimeout(() => this.#connect(), 50);
      else this.#connect();
    });
  }

  #receive(talk: Talk, text: string): void {
    if (talk.pid === 0 && text.startsWith("hello:")) {
      talk.pid = Number(text.slice(6));
      if (this.#leaving) this.#sayGoodbye();
    } else if (text.startsWith("wrong:")) {
      this.faults.push(`${talk.name}: its upstream says ${text}`);
    } else if (text === `bye:${talk.got}`) {
      talk.complete = true;
    } else {
      const fault = talk.complete ? `"${text.slice(0, 30)}" after the goodbye` : judge(text, "u", talk.got++);
      if (fault !== undefined) this.faults.push(`${talk.name}: ${fault}`);
    }
  }
}

const decoder = new TextDecoder();
