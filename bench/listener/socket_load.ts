/**
 * Messages to a WebSocket echo, as a program: `PORT SOCKETS SECONDS BYTES`. Each socket has one on its way at a time.
 * Prints how many came back.
 *
 * @module
 */

if (import.meta.main) {
  const [port, sockets, seconds, bytes] = Deno.args.map(Number);
  const message = new Uint8Array(bytes);
  let echoes = 0;
  const endMs = performance.now() + seconds * 1000;
  await Promise.all(Array.from({ length: sockets }, () =>
    new Promise<void>((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => socket.send(message);
      socket.onerror = () => reject(new Error("A socket failed"));
      socket.onmessage = () => {
        echoes++;
        if (performance.now() < endMs) socket.send(message);
        else resolve();
      };
    })));
  await Deno.stdout.write(new TextEncoder().encode(String(echoes)));
  Deno.exit(0);
}
