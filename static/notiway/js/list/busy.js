// busy: whether someone is reading a list, so that nothing may move in it.
import { isPointedAt } from "../page/pointer.js";

const isUsed = (element) => isPointedAt(element) || element.contains(document.activeElement);

/** The list is scrolled, or the pointer, the focus or a selection is in it, or on "3 new", which lies over its first row. */
export function isBusy(list) {
  if (!list.checkVisibility() || !list.childElementCount) return false;
  const scroller = list.closest("[data-notiway-scroll]");
  const scrolled = scroller ? scroller.scrollTop > 4 : list.getBoundingClientRect().top < 0;
  const button = list.parentElement.querySelector("[data-notiway-fresh]");
  return scrolled || isUsed(list) || Boolean(button && isUsed(button)) || list.querySelector(":checked") !== null;
}
