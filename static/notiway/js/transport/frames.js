// frames: a frame of the server's HTML is swapped in as the WebSocket extension does it, whatever brought it; in turn.
let last = Promise.resolve();

export function takeFrame(text) {
  const sourceElement = document.querySelector("[data-notiway-socket]");
  const swap = () => window.htmx.swap({ sourceElement, target: sourceElement, swap: `${window.htmx.config.defaultSwap} swapEmpty:false`, text, transition: false });
  last = last.then(swap).catch((error) => console.error(error));
  return last;
}
