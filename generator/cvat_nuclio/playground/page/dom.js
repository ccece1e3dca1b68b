// Elements, and words to the user.

export const $ = (id) => document.getElementById(id);

/** An element. Properties beginning with `on` are listeners, `aria-…`, `role` and `data-…` attributes. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Says it to a screen reader. */
export function say(text) {
  $("live").textContent = text;
}

/** An error in words, until it is closed or a while has passed. */
export function toast(error) {
  const close = h("button", { type: "button", className: "quiet", "aria-label": "Close", onclick: () => card.remove() }, "×");
  const lines = [error.why, error.remedy && `Try: ${error.remedy}`].filter(Boolean);
  const card = h("div", { className: "card bad" }, h("div", {}, h("b", {}, error.message), lines.map((line) => h("p", {}, line))), close);
  $("toasts").append(card);
  setTimeout(() => card.remove(), 15000);
}

/** Runs what may fail; its error is shown. */
export async function told(work) {
  try {
    return await work();
  } catch (error) {
    if (error.name !== "AbortError") toast(error);
    return undefined;
  }
}

export function download(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** A slider with its name and its value in words. */
export function slider(name, { min, max, step, value, words, onchange }) {
  const output = h("span", { className: "number" }, words(value));
  const input = h("input", { type: "range", min, max, step, "aria-label": name });
  input.value = value;
  const tell = () => {
    output.textContent = words(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  tell();
  input.addEventListener("input", tell);
  input.addEventListener("change", () => onchange(Number(input.value)));
  return h("label", { className: "field" }, h("span", {}, h("span", {}, name), output), input);
}

export const check = (name, checked, onchange) =>
  h("label", { className: "check" }, h("input", { type: "checkbox", checked, onchange: (event) => onchange(event.target.checked) }), name);

/** A row of choices of which one holds. */
export function segmented(host, name, choices, chosen, onchange) {
  host.replaceChildren(
    ...choices.map(([value, text, title]) =>
      h("label", { title: title ?? "" },
        h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }),
        h("span", {}, text))),
  );
}

export const milliseconds = (ms) => (ms < 10 ? `${ms.toFixed(1)} ms` : ms < 10000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
