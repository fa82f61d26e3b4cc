// network: what a page found out about the network, for the next page of this tab: it need not find out anew.
const KEY = "notiway:line"; // in sessionStorage

/** Keep some values, or nothing. */
export function keep(values) {
  try {
    values ? sessionStorage.setItem(KEY, JSON.stringify(values)) : sessionStorage.removeItem(KEY);
  } catch {
    // Storage is off: the next page finds out by itself.
  }
}

export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}
