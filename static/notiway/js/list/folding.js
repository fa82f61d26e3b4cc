// folding: one form for texts that a reader would call the same, as the server's search has it (values/text/folding.py).
const ACCENTS = /[\u0300-\u036f]/g;

/** Without case, accents and forms of width. The way there and back turns ß and ẞ into ss, and ς into σ. */
export function fold(text) {
  const plain = text.normalize("NFKD").toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
  return plain.normalize("NFKD").replace(ACCENTS, "").normalize("NFKC");
}

/** Whether every word of a search is in the title or the message of a row. */
export function says(row, text) {
  const parts = [...row.querySelectorAll(".notiway-item__title, .notiway-item__message")];
  const own = parts.flatMap((part) => [...part.childNodes]).filter((node) => node.nodeType === Node.TEXT_NODE);
  const said = fold(own.map((node) => node.data).join("\n"));
  return fold(text).split(/\s+/).every((word) => said.includes(word));
}
