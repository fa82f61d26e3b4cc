// Node's Socket.IO: `emit` to everybody.
const http = require("node:http");
const { Server } = require("socket.io");

const AROUND = '42["message",""]'.length; // what Socket.IO writes around a text
const text = "x".repeat(Number(process.env.BENCHMARK_PAYLOAD) - AROUND);
const server = http.createServer((request, response) => {
  if (request.url === "/broadcast") io.emit("message", text);
  response.writeHead(204).end();
});
const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false });
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 2048 });
