/**
 * Sockets of the WebSocket page that reconnect automatically. It is text, because it runs in the browser, before the page's own
 * script.
 *
 * @module
 */

/** The script: `LastingSocket`, the `Gate` that it opens through, and the `counts` of the page. */
export const LASTING_SOCKET_SCRIPT: string = String.raw`
"use strict";
const FIRST_WAIT_MS = 250, LONGEST_WAIT_MS = 8000, STEADY_MS = 1000;
const counts = { messages: 0, reconnects: 0 };

// Limits how many sockets open at a time, in order. Browsers throttle a page that opens many at once, for seconds.
class Gate {
  inside = 0; queue = [];
  constructor(room) { this.room = room; }
  enter(work) { this.queue.push(work); this.next(); }
  next() {
    if (this.inside >= this.room || this.queue.length === 0) return;
    this.inside++;
    let left = false;
    this.queue.shift()(() => { if (left) return; left = true; this.inside--; this.next(); });
    this.next();
  }
}

// A socket that reconnects when it closes unexpectedly. Calls onChange(state, detail).
class LastingSocket {
  state = "closed"; upstream = ""; greeting = null; protocol = ""; keeps = true; tries = 0; waitMs = 0; dueMs = 0;
  leave = () => {};
  constructor(gate, onChange) { this.gate = gate; this.onChange = onChange; }
  open(path, protocols) {
    this.end();
    this.path = path; this.protocols = protocols; this.tries = 0;
    this.dial();
  }
  dial() {
    clearTimeout(this.timer);
    this.startMs = performance.now(); this.openedMs = 0;
    this.report("connecting");
    const turn = {};
    this.turn = turn;
    this.gate.enter((leave) => {
      this.leave = leave;
      if (this.turn === turn) this.handshake(); else leave();
    });
  }
  handshake() {
    const url = location.origin.replace(/^http/, "ws") + this.path;
    const socket = new WebSocket(url, this.protocols);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = ({ data }) => {
      if (socket !== this.socket) return;
      if (this.state === "open") return this.onChange("message", data);
      this.greeting = JSON.parse(data); this.upstream = this.greeting.upstream; this.protocol = socket.protocol;
      this.openedMs = performance.now();
      this.leave();
      this.report("open", this.openedMs - this.startMs);
    };
    socket.onclose = ({ code, reason, wasClean }) => { if (socket === this.socket) this.closed({ code, reason, wasClean }); };
  }
  closed(end) {
    const opened = this.openedMs > 0;
    if (opened && performance.now() - this.openedMs > STEADY_MS) this.tries = 0;
    this.leave();
    this.socket = null; this.upstream = ""; this.protocol = "";
    const again = this.keeps && !this.asked && !(opened && end.code === 1000);
    this.asked = false;
    this.report("closed", { ...end, opened });
    if (again) this.wait();
  }
  wait() {
    this.waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.tries++);
    this.dueMs = performance.now() + this.waitMs;
    this.timer = setTimeout(() => { counts.reconnects++; this.dial(); }, this.waitMs);
    this.report("waiting");
  }
  now() { if (this.state === "waiting") { counts.reconnects++; this.dial(); } }
  send(data) { if (this.state === "open") { this.socket.send(data); return true; } return false; }
  // Closes and waits for the Close frame of the other side, which has the final code.
  close(code, reason) {
    if (this.state === "waiting") return this.end();
    this.socket?.close(code, reason);
    this.asked = true;
  }
  // Drops the socket at once.
  end() {
    clearTimeout(this.timer);
    const { socket } = this;
    this.leave();
    this.turn = null; this.socket = null; this.upstream = ""; this.asked = false;
    socket?.close();
    if (this.state !== "closed") this.report("idle");
    this.state = "closed";
  }
  report(state, detail) { this.state = state; this.onChange(state, detail); }
}
`;
