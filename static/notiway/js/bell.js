// bell: starts every behaviour once. Each one listens on the document, so that what htmx swaps in later works too.
import * as arrows from "./arrows.js";
import * as badge from "./badge.js";
import * as banners from "./banners.js";
import * as connection from "./connection.js";
import * as counter from "./counter.js";
import * as disclosure from "./disclosure.js";
import * as filters from "./filters.js";
import * as focus from "./focus.js";
import * as notice from "./notice.js";
import * as rows from "./rows.js";
import * as seen from "./seen.js";
import * as selection from "./selection.js";
import * as sticky from "./sticky.js";
import * as subscriptions from "./subscriptions.js";
import * as tasks from "./tasks.js";
import * as time from "./time.js";
import * as toasts from "./toasts.js";
import * as tray from "./tray.js";
import * as voice from "./voice.js";

const root = document.documentElement;
if (!("notiwayReady" in root.dataset)) {
  root.dataset.notiwayReady = "";
  // Order matters: what the page shows is known before frames are taken in, and rows are moved before others look at them.
  for (const part of [rows, focus, voice, banners, subscriptions, tasks, tray, connection, badge, disclosure, arrows, seen, notice, toasts, selection, filters, counter, time, sticky]) {
    part.start();
  }
}
