// Bun (uWebSockets): every client subscribes to a topic, and the server publishes to it.
const text = "x".repeat(Number(process.env.BENCHMARK_PAYLOAD));

Bun.serve({
  port: Number(process.argv[2]),
  hostname: "127.0.0.1",
  fetch(request, server) {
    if (new URL(request.url).pathname === "/broadcast") {
      server.publish("all", text);
      return new Response(null, { status: 204 });
    }
    if (server.upgrade(request)) return undefined;
    return new Response("no upgrade", { status: 400 });
  },
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: false,
    open: (client) => client.subscribe("all"),
    message() {},
  },
});
