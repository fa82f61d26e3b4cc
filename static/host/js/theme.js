// theme: light, dark, or as the system has it. It runs before the page is drawn, so that nothing flashes.
(() => {
  const NAMES = { "": "as the system", light: "light", dark: "dark" };
  const root = document.documentElement;
  const read = () => {
    try {
      return localStorage.getItem("theme") ?? "";
    } catch {
      return ""; // storage is off
    }
  };
  const apply = (theme) => (theme in NAMES && theme ? (root.dataset.theme = theme) : delete root.dataset.theme);

  function show(button) {
    button.hidden = false;
    button.ariaLabel = `Theme: ${NAMES[root.dataset.theme ?? ""]}`;
    button.title = button.ariaLabel;
  }

  function change({ currentTarget: button }) {
    const names = Object.keys(NAMES);
    const next = names[(names.indexOf(root.dataset.theme ?? "") + 1) % names.length];
    apply(next);
    try {
      localStorage.setItem("theme", next);
    } catch {
      // for this page only
    }
    show(button);
    document.dispatchEvent(new CustomEvent("host:theme"));
  }

  apply(read());
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      show(button);
      button.addEventListener("click", change);
    }
  });
})();
