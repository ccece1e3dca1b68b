// Light or dark: as the system has it until the user says otherwise.

const KEY = "theme";

export function theme(button, changed) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const now = () => document.documentElement.dataset.theme || (system.matches ? "dark" : "light");
  const show = () => {
    button.textContent = now() === "dark" ? "☀" : "☾";
    button.title = now() === "dark" ? "Light" : "Dark";
    changed();
  };
  document.documentElement.dataset.theme = localStorage.getItem(KEY) ?? "";
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = now() === "dark" ? "light" : "dark";
    localStorage.setItem(KEY, now());
    show();
  });
  system.addEventListener("change", show);
  show();
}
