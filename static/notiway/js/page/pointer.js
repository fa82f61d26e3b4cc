// pointer: whether somebody points at an element. After a tap, browsers keep :hover on what was touched, for ever.
let touched = false;

export const isPointedAt = (element) => !touched && element.matches(":hover");

export function start() {
  const note = ({ pointerType }) => (touched = pointerType === "touch");
  for (const name of ["pointerdown", "pointermove"]) document.addEventListener(name, note, { capture: true, passive: true });
}
