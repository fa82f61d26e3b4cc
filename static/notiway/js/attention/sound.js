// sound: two soft notes, made here. Browsers let a page sound only after somebody has clicked or typed on it.
import { settings } from "./settings.js";

const NOTES = [659.26, 880]; // Hz: e and a
const GAP = 0.11; // seconds between them
const LENGTH = 0.45; // seconds until a note has died away
const LOUDEST = 0.3; // of full scale
const LATE = 1000; // ms after which a sound would be about nothing any more
const REST = 3000; // ms: a flood is no melody
let context = null;
let soundedAt = 0;

function play(volume) {
  NOTES.forEach((pitch, index) => {
    const at = context.currentTime + index * GAP;
    const note = new OscillatorNode(context, { type: "sine", frequency: pitch });
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0.0001, at);
    gain.gain.exponentialRampToValueAtTime(Math.max(0.0002, LOUDEST * volume ** 2), at + 0.015);
    gain.gain.exponentialRampToValueAtTime(0.0001, at + LENGTH);
    note.connect(gain).connect(context.destination);
    note.start(at);
    note.stop(at + LENGTH);
  });
}

async function sound(volume) {
  if (!volume || !globalThis.AudioContext || navigator.userActivation?.hasBeenActive === false) return;
  context ??= new AudioContext();
  const asked = Date.now();
  if (context.state !== "running") await context.resume();
  if (Date.now() - asked > LATE) return;
  play(volume / 100);
  document.dispatchEvent(new CustomEvent("notiway:chime", { detail: volume }));
}

/** Sound once for what comes together, if the reader wants that and the browser allows it. */
export function chime() {
  if (!settings()?.sound || Date.now() - soundedAt < REST) return;
  soundedAt = Date.now();
  sound(settings().volume);
}

export function start() {
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-notiway-chime]")) sound(Number(document.getElementById("notiway-volume").value));
  });
}
