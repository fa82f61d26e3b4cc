// Connections of @microsoft/signalr, in Node and in a browser alike. `report(name, event, ...arguments)` is told all.
const AsyncFunction = (async () => {}).constructor;

export class Hubs {
  constructor(signalR, report) {
    this.signalR = signalR;
    this.report = report;
    this.connections = new Map();
    this.given = new Map();
  }

  async connect({ name, url, token, listen = [], options = {}, delays }) {
    const builder = new this.signalR.HubConnectionBuilder()
      .withUrl(url, { ...(token && { accessTokenFactory: () => token }), ...options })
      .configureLogging(this.signalR.LogLevel.None);
    const connection = (delays ? builder.withAutomaticReconnect(delays) : builder.withAutomaticReconnect()).build();
    for (const target of listen) {
      connection.on(target, (...values) => this.report(name, target, ...values));
    }
    connection.onreconnecting(() => this.report(name, "reconnecting"));
    connection.onreconnected(() => this.report(name, "reconnected"));
    connection.onclose((error) => this.report(name, "closed", error?.message ?? null));
    this.connections.set(name, connection);
    await connection.start();
    return connection.connectionId;
  }

  invoke({ name, method, values = [] }) {
    return this.connections.get(name).invoke(method, ...values);
  }

  send({ name, method, values = [] }) {
    return this.connections.get(name).send(method, ...values);
  }

  stream({ name, method }) {
    return new Promise((resolve, reject) =>
      this.connections.get(name).stream(method).subscribe({ next: resolve, complete: resolve, error: reject }));
  }

  stop({ name }) {
    return this.connections.get(name).stop();
  }

  // Runs code as it was published. Each of `stubs`, the page's own functions, reports its call; `gives` are names
  // that the code defines and `call` may use.
  async run({ name, code, stubs = [], answers = {}, gives = [] }) {
    const given = this.given.get(name) ?? {};
    this.given.set(name, given);
    const functions = stubs.map((stub) => (...values) => {
      given[stub] = values;
      this.report(name, stub, ...values);
      return { json: async () => answers[stub] };
    });
    const body = `${code}\nreturn {${gives.join(", ")}};`;
    Object.assign(given, await new AsyncFunction("connection", ...stubs, body)(
      this.connections.get(name), ...functions));
  }

  // Calls what the code defined, or what it handed to a stub: `path` is ["showBanner", 0, "onDismiss"].
  call({ name, path, values = [] }) {
    return path.reduce((value, key) => value[key], this.given.get(name))(...values);
  }
}
