// Node's `ws`: a loop that sends to each client.
const http = require("node:http");
const { WebSocketServer } = require("ws");

const text = "x".repeat(Number(process.env.BENCHMARK_PAYLOAD));
const server = http.createServer((request, response) => {
  if (request.url === "/broadcast") for (const client of sockets.clients) client.send(text);
  response.writeHead(204).end();
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 2048 });
