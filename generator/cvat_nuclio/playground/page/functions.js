// The list of served functions, asked for again and again: a function that dies is seen to, and to come back.

import { functions } from "./api.js";
import { $, h, say } from "./dom.js";

const EVERY = 2000;
const ICONS = {
  detector: "M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8M16 4h2.5A1.5 1.5 0 0 1 20 5.5V8M20 16v2.5a1.5 1.5 0 0 1-1.5 1.5H16M8 20H5.5A1.5 1.5 0 0 1 4 18.5V16M9 9h6v6H9z",
  interactor: "M5 3v3M3 5h3M9 4.5 7.5 6M6 9l-1.5 1.5M9 9l11 4.2-4.8 1.9L13.3 20z",
  tracker: "M3 17c3-1 4-9 8-9s3 6 10 4M17 8.5l4 3.5-3.5 4M3 13h4v8H3z",
  reid: "M3 5h6v6H3zM15 13h6v6h-6zM9 8c5 0 6 3 6 8",
};
const SVG = "http://www.w3.org/2000/svg";

function icon(kind) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  const look = { d: ICONS[kind] ?? "M12 3l8 5v8l-8 5-8-5V8z", fill: "none", stroke: "currentColor", "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [name, value] of Object.entries(look)) path.setAttribute(name, value);
  svg.append(path);
  return svg;
}

const STATES = { ready: "ready", building: "starting", unhealthy: "ended for good" };

export class Functions {
  constructor(onchoose, onchange) {
    this.onchoose = onchoose;
    this.onchange = onchange;
    this.all = [];
    this.name = null;
    $("functions").addEventListener("keydown", (event) => this.key(event));
  }

  get current() {
    return this.all.find(({ name }) => name === this.name) ?? null;
  }

  /** Asks now, and from then on every two seconds. */
  async refresh(cvat) {
    this.cvat = cvat ?? this.cvat;
    clearTimeout(this.timer);
    if (document.hidden && !cvat) {
      this.timer = setTimeout(() => this.refresh(), EVERY);
      return;
    }
    try {
      this.take(await functions(this.cvat));
    } catch {
      this.take(this.all.map((each) => ({ ...each, state: "unhealthy", cause: "serve does not answer" })));
    }
    this.timer = setTimeout(() => this.refresh(), EVERY);
  }

  take(all) {
    const before = new Map(this.all.map((each) => [each.name, each.state]));
    for (const { name, state } of all) {
      if (before.has(name) && before.get(name) !== state) say(`${name}: ${STATES[state]}`);
    }
    const changed = JSON.stringify(all) !== JSON.stringify(this.all);
    this.all = all;
    if (!changed) return;
    this.render();
    if (this.current) this.onchange(this.current);
    else if (all.length) this.choose(all[0].name);
  }

  choose(name) {
    this.name = name;
    this.render();
    this.onchoose(this.current);
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = this.all.findIndex(({ name }) => name === this.name);
    this.choose(this.all[(at + step + this.all.length) % this.all.length].name);
    $("functions").querySelector("[aria-checked=true]").focus();
  }

  render() {
    const focused = $("functions").contains(document.activeElement);
    $("functions").replaceChildren(
      ...this.all.map((each) => {
        const chosen = each.name === this.name;
        const workers = `${each.workers} ${each.workers === 1 ? "worker" : "workers"}`;
        return h("button", { type: "button", role: "radio", className: "function", "aria-checked": chosen, tabIndex: chosen ? 0 : -1, title: each.name, onclick: () => this.choose(each.name) },
          icon(each.kind), h("b", {}, each.title), h("span", { className: `dot ${each.state}`, role: "img", "aria-label": STATES[each.state] ?? each.state, title: each.cause || STATES[each.state] }),
          h("small", {}, `${each.kind || "no kind"} · ${workers}${each.state === "ready" ? "" : ` · ${STATES[each.state]}`}`));
      }),
    );
    if (focused) $("functions").querySelector("[aria-checked=true]")?.focus();
  }
}
