/**
 * The state of `bws top` while it runs: the chosen upstream, the order, and the actions of keys.
 *
 * @module
 */

import { questionOf, wantsForce } from "../../admin/dashboard/page/last_upstream.js";
import { adminStateOf, shortUrl } from "../../admin/dashboard/page/upstream_states.js";
import type { AdminState, Snapshot } from "../../admin/snapshot.ts";
import { paint, type Style } from "../terminal.ts";
import type { AdminClient } from "./admin_client.ts";
import type { Key } from "./screen.ts";
import { fitted } from "./text_table.ts";
import { type Member, membersOf, type Order, ORDERS, topLines } from "./top_view.ts";

/** Size of the screen, and whether it has colours. */
export interface Surface {
  readonly columns: number;
  readonly rows: number;
  readonly colored: boolean;
}

/** What is shown, and which upstream is chosen. Owned by the command. */
export class TopSession {
  readonly #client: Pick<AdminClient, "change" | "address">;
  #snapshot: Snapshot;
  #members: Member[] = [];
  #order: Order = "worst";
  #chosenId: string | undefined;
  #first = 0;
  #page = 10;
  #lost = false;
  #message: { text: string; style: Style } | undefined;
  // The state and upstream of a change that was refused and is forced when its key is pressed again.
  #unconfirmed = "";

  constructor(client: Pick<AdminClient, "change" | "address">, snapshot: Snapshot) {
    this.#client = client;
    this.#snapshot = snapshot;
    this.take(snapshot);
  }

  /** The upstream that keys act on. */
  get chosen(): Member | undefined {
    return this.#members[this.#index];
  }

  /** Shows the next snapshot. */
  take(snapshot: Snapshot): void {
    this.#lost = false;
    this.#show(snapshot);
  }

  /** Shows that the connection is lost and the values are old, until the next snapshot. */
  lose(why: string): void {
    this.#lost = true;
    this.setMessage(why, "red");
  }

  #show(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#members = membersOf(snapshot, this.#order);
    this.#chosenId = this.chosen?.upstream.id;
  }

  /** Shows a message below the table. */
  setMessage(text: string, style: Style = "yellow"): void {
    this.#message = text === "" ? undefined : { text, style };
  }

  /** Handles a key. @returns False if the key ends the program. */
  async press(key: Key): Promise<boolean> {
    if (key === "q" || key === "escape") return false;
    const state = STATE_OF[key];
    if (state !== undefined) await this.#change(state);
    else {
      this.#unconfirmed = "";
      this.setMessage("");
      if (key === "s") this.#nextOrder();
      else this.#move(key);
    }
    return true;
  }

  /** What the screen shows. */
  lines({ columns, rows, colored }: Surface): string[] {
    const mostTroubles = rows < 20 ? 1 : Math.min(8, Math.floor(rows / 5));
    const width = columns - MARGIN;
    const { head, heading, rows: table } = topLines(this.#snapshot, this.#members, {
      ...{ width, mostTroubles, colored, address: this.#client.address, lost: this.#lost },
    });
    const room = Math.max(1, rows - head.length - 3);
    this.#page = room;
    this.#scroll(room);
    const index = this.#index;
    const shown = table.slice(this.#first, this.#first + room).map((line, offset) =>
      this.#first + offset === index ? marked(line, colored) : " ".repeat(MARGIN) + line
    );
    while (shown.length < room) shown.push("");
    return [
      ...head,
      " ".repeat(MARGIN) + heading,
      ...shown,
      this.#messageLine(columns, colored),
      this.#keyLine(columns, colored),
    ];
  }

  get #index(): number {
    return Math.max(0, this.#members.findIndex(({ upstream }) => upstream.id === this.#chosenId));
  }

  #move(key: Key): void {
    const last = this.#members.length - 1;
    const steps: Readonly<Record<string, number>> = {
      up: -1,
      down: 1,
      "page-up": -this.#page,
      "page-down": this.#page,
    };
    const to = key === "first" ? 0 : key === "last" ? last : this.#index + (steps[key] ?? 0);
    this.#chosenId = this.#members[Math.min(last, Math.max(0, to))]?.upstream.id;
  }

  #nextOrder(): void {
    this.#order = ORDERS[(ORDERS.indexOf(this.#order) + 1) % ORDERS.length];
    this.#show(this.#snapshot);
  }

  async #change(state: AdminState): Promise<void> {
    const { chosen } = this;
    if (chosen === undefined || adminStateOf(chosen.upstream.state) === state) return;
    const { upstream, pool } = chosen;
    const asked = `${state} ${upstream.id}`;
    const force = this.#unconfirmed === asked;
    this.#unconfirmed = "";
    const refusal = await this.#client.change(upstream.id, { state }, force);
    if (refusal === undefined) this.setMessage(`${shortUrl(upstream.url)}: ${DONE[state]}`, "green");
    else if (wantsForce(refusal)) {
      this.#unconfirmed = asked;
      this.setMessage(questionOf(pool));
    } else this.setMessage(refusal.error, "red");
  }

  #scroll(room: number): void {
    const index = this.#index;
    if (index < this.#first) this.#first = index;
    if (index >= this.#first + room) this.#first = index - room + 1;
    this.#first = Math.max(0, Math.min(this.#first, this.#members.length - room));
  }

  #messageLine(columns: number, colored: boolean): string {
    if (this.#message !== undefined) return paint(colored, this.#message.style, fitted(this.#message.text, columns));
    const upstream = this.chosen?.upstream;
    if (upstream === undefined) return "The config has no upstreams.";
    const failure = upstream.lastFailure === null ? "" : `: ${upstream.lastFailure}`;
    return paint(colored, "dim", fitted(shortUrl(upstream.url) + failure, columns));
  }

  #keyLine(columns: number, colored: boolean): string {
    const keys = `q quit  ↑↓ move  d drain  r resume  m maintenance  s sort: ${this.#order}`;
    return paint(colored, "dim", fitted(keys, columns));
  }
}

const MARGIN = 2;
const STATE_OF: Readonly<Record<string, AdminState>> = { d: "draining", r: "active", m: "maintenance" };
const DONE: Readonly<Record<AdminState, string>> = {
  draining: "drains, no new requests",
  active: "takes requests again",
  maintenance: "out for maintenance",
};

function marked(line: string, colored: boolean): string {
  return colored ? `\x1b[7m› \x1b[27m${line}` : `> ${line}`;
}
