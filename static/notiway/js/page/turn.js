// turn: of a reader's tabs the one that is looked at acts first, those that can be seen next, the hidden ones last.
const WAIT = { focused: 0, visible: 150, hidden: 600 }; // ms

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Wait until it is this tab's turn. */
export const turn = () => pause(WAIT[document.hidden ? "hidden" : document.hasFocus() ? "focused" : "visible"]);
