// Light or dark: as the system has it until the user says otherwise.

const KEY = "theme";

/** What the browser keeps for this page; some keep nothing, and say so by an error. */
function remembered(...set) {
  try {
    return set.length ? localStorage.setItem(KEY, ...set) : localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function theme(button, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const now = () => document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
  const show = () => {
    button.textContent = now() === "dark" ? "☀" : "☾";
    button.title = now() === "dark" ? "Light" : "Dark";
    changed();
  };
  document.documentElement.dataset.theme = remembered() ?? "";
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = now() === "dark" ? "light" : "dark";
    remembered(now());
    show();
  });
  system.addEventListener("change", show);
  show();
}
