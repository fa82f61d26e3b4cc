// region: where toasts are on the page, and whether someone looks at them.
import { isPointedAt } from "../page/pointer.js";

export const region = () => document.querySelector("[data-notiway-toasts]");
export const stack = () => region().querySelector("ol");
export const title = (toast) => toast.querySelector(".notiway-toast__title").textContent;
export const isLookedAt = (toast) => isPointedAt(toast) || toast.contains(document.activeElement);
export const isHeld = () => document.hidden || isLookedAt(region());
