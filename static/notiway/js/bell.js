// bell: starts every behaviour once. Each one listens on the document, so that what htmx swaps in later works too.
import * as doctor from "./attention/doctor.js";
import * as settingsForm from "./attention/form.js";
import * as held from "./attention/held.js";
import * as notifying from "./attention/notify.js";
import * as pause from "./attention/pause.js";
import * as permission from "./attention/permission.js";
import * as quiet from "./attention/quiet.js";
import * as attention from "./attention/settings.js";
import * as sound from "./attention/sound.js";
import * as why from "./attention/why.js";
import * as banners from "./banner/banners.js";
import * as badge from "./bell/badge.js";
import * as stickyBar from "./bell/sticky-bar.js";
import * as anchor from "./history/anchor.js";
import * as filters from "./history/filters.js";
import * as selection from "./history/selection.js";
import * as actions from "./list/actions.js";
import * as answers from "./list/answers.js";
import * as focus from "./list/focus.js";
import * as groups from "./list/groups.js";
import * as leaving from "./list/leaving.js";
import * as numbered from "./list/numbered.js";
import * as room from "./list/room.js";
import * as rows from "./list/rows.js";
import * as seen from "./list/seen.js";
import * as shortcuts from "./list/shortcuts.js";
import * as characterCount from "./page/character-count.js";
import * as days from "./page/days.js";
import * as fieldFaults from "./page/field-faults.js";
import * as pointer from "./page/pointer.js";
import * as time from "./page/time.js";
import * as arrows from "./panel/arrows.js";
import * as panel from "./panel/panel.js";
import * as tabs from "./panel/tabs.js";
import * as closed from "./progress/close.js";
import * as followed from "./progress/follow.js";
import * as silence from "./progress/silence.js";
import * as snooze from "./snooze/choice.js";
import * as arrivals from "./toast/arrivals.js";
import * as failures from "./toast/failures.js";
import * as toasts from "./toast/stack.js";
import * as connection from "./transport/connection.js";
import * as fallback from "./transport/fallback.js";
import * as incoming from "./transport/incoming.js";
import * as subscriptions from "./transport/subscriptions.js";
import * as tickets from "./transport/ticket.js";
import * as waking from "./transport/waking.js";
import * as undo from "./undo/bar.js";

const root = document.documentElement;
if (!("notiwayReady" in root.dataset)) {
  root.dataset.notiwayReady = "";
  // Order matters: what the page shows is known before frames are taken in, and rows are moved before others look at them.
  for (const part of [pointer, attention, held, quiet, sound, notifying, rows, room, leaving, focus, groups, answers, arrivals, banners, subscriptions, followed, silence, closed, incoming, tickets, fallback, connection, waking, badge, panel, arrows, seen, failures, toasts, selection, filters, characterCount, fieldFaults, time, days, actions, tabs, anchor, numbered, shortcuts, stickyBar, why, pause, settingsForm, permission, doctor, snooze, undo]) {
    part.start();
  }
}

// For scripts that only some pages link: the bell is in one file, and they must not get parts of it a second time.
export { fetchParts } from "./page/background.js";
export { showFailure, showUnreachable, wayOut } from "./toast/failures.js";
