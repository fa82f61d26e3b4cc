// draw: makes one toast from the template in the page; every word is set as text, never as markup.

/** The toast that the server drew, as one of this stack. Its link leads through /n/<id>, which marks it read. */
function copied(drawn, { id, about = "", type, priority, href }) {
  const toast = drawn.cloneNode(true);
  const link = toast.querySelector("a.notiway-toast__title");
  Object.assign(toast.dataset, { type, priority, id, about });
  if (priority === "urgent") toast.querySelector(".notiway-toast__text").setAttribute("role", "alert");
  if (link && href) link.href = href;
  return toast;
}

/** A new toast for {id, about, type, priority, title, message, href, linkText}; with linkText the link follows the message;
 *  `members`: of so many of one group it is the newest; `quiet`: a line that asks for nothing. */
export function draw({ id = "", about = "", type, priority = "medium", title, message = "", href = "", linkText = "", members = 1, quiet = false, drawn = null }) {
  if (drawn && members === 1) return copied(drawn, { id, about, type, priority, href });
  const toast = document.querySelector("[data-notiway-toast-template]").content.firstElementChild.cloneNode(true);
  const link = toast.querySelector(".notiway-toast__title");
  const text = toast.querySelector(".notiway-toast__message");
  Object.assign(toast.dataset, { type, priority, id, about });
  toast.querySelector("use").setAttribute("href", `#notiway-icon-${priority === "urgent" ? priority : type}`);
  if (priority === "urgent") toast.querySelector(".notiway-toast__text").setAttribute("role", "alert");
  else toast.querySelector(".notiway-toast__urgent").remove();
  link.textContent = title;
  text.textContent = members > 1 ? `and ${members - 1} more like this` : message;
  toast.classList.toggle("notiway-toast--quiet", quiet);
  if (linkText) {
    const way = Object.assign(document.createElement("a"), { href, textContent: linkText });
    text.append(message ? " " : "", way);
  }
  if (href && !linkText) link.href = href;
  else link.removeAttribute("href");
  if (!text.textContent) text.remove();
  return toast;
}
