// Takes orders as lines of JSON, answers them, and prints whatever the clients report.
import { createInterface } from "node:readline";
import signalR from "@microsoft/signalr";
import { EventSource } from "eventsource";
import { Hubs } from "./hub.mjs";
import { Streams } from "./streams.mjs";

const print = (values) => process.stdout.write(`${JSON.stringify(values)}\n`);
const report = (...values) => print({ report: values });
const hubs = new Hubs(signalR, report);
const streams = new Streams(EventSource, report);

createInterface({ input: process.stdin }).on("line", async (line) => {
  const { id, do: verb, ...order } = JSON.parse(line);
  try {
    const value = await (verb in hubs ? hubs : streams)[verb](order);
    print({ id, value: value ?? null });
  } catch (error) {
    print({ id, error: error.message });
  }
});
