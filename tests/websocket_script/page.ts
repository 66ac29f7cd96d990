/**
 * Prints the page of `test_websocket_proxy.sh`: that of `bws demo`, with the script's routes and upstreams.
 *
 * @module
 */

import { socketPage } from "../../lib/demo/socket_page.ts";

Deno.stdout.writeSync(new TextEncoder().encode(socketPage({
  name: "WebSocket test",
  routes: [{ path: "/ws/chat", title: "Chat" }, { path: "/ws/notifications", title: "Notifications" }],
  upstreams: ["3001", "3002"],
  controlled: false,
})));
