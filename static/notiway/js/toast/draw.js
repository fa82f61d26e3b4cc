// draw: makes one toast from the template in the page; every word is set as text, never as markup.

/** The toast that the server drew, as one of this stack. Its link leads through /n/<id>, which marks it read. */
function copied(drawn, { id, about = "", type, href }) {
  const toast = drawn.cloneNode(true);
  const link = toast.querySelector("a.notiway-toast__title");
  Object.assign(toast.dataset, { type, id, about });
  if (link && href) link.href = href;
  return toast;
}

/** A new toast element for {id, about, type, title, message, href, linkText}; with linkText the link follows the message. */
export function draw({ id = "", about = "", type, title, message = "", href = "", linkText = "", drawn = null }) {
  if (drawn) return copied(drawn, { id, about, type, href });
  const toast = document.querySelector("[data-notiway-toast-template]").content.firstElementChild.cloneNode(true);
  const link = toast.querySelector(".notiway-toast__title");
  const text = toast.querySelector(".notiway-toast__message");
  Object.assign(toast.dataset, { type, id, about });
  toast.querySelector("use").setAttribute("href", `#notiway-icon-${type}`);
  link.textContent = title;
  text.textContent = message;
  if (linkText) {
    const way = Object.assign(document.createElement("a"), { href, textContent: linkText });
    text.append(message ? " " : "", way);
  }
  if (href && !linkText) link.href = href;
  else link.removeAttribute("href");
  if (!text.textContent) text.remove();
  return toast;
}
