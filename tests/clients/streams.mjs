// EventSource, the browser's own or npm's. `report(name, event, data, lastEventId)` is told all.
const EVENTS = ["notification", "unread", "read", "deleted", "reset"];

export class Streams {
  constructor(EventSource, report) {
    this.EventSource = EventSource;
    this.report = report;
    this.sources = new Map();
  }

  open({ name, url, headers }) {
    const options = headers && {
      fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...headers } }),
    };
    const source = new this.EventSource(url, options);
    for (const event of EVENTS) {
      source.addEventListener(event, (said) => this.report(name, event, JSON.parse(said.data), said.lastEventId));
    }
    source.addEventListener("open", () => this.report(name, "open"));
    source.addEventListener("error", (fault) => this.report(name, "error", fault.code ?? null, source.readyState));
    this.sources.set(name, source);
  }

  close({ name }) {
    this.sources.get(name).close();
  }
}
