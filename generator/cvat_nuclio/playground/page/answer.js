// What came back: kept shapes as a table tied to the picture, drops, notes, errors, JSON, commands, log.

import { saved } from "./api.js";
import { $, download, h, milliseconds, told } from "./dom.js";

const ROWS = 200;
const TABS = ["Found", "JSON", "Repeat", "Log"];

export class Answer {
  constructor(changed) {
    this.changed = changed;
    this.tab = "Found";
    this.hidden = new Set();
    this.report = this.refusal = this.bright = null;
    this.frame = null;
    $("tabs").addEventListener("keydown", (event) => this.key(event));
  }

  /** A whole answer; null takes the last one away. */
  set(report) {
    this.report = report;
    this.refusal = this.bright = null;
    this.render();
  }

  /** More of the answer that is there, by the next step of a tracker. */
  grow(report) {
    const shapes = [...(this.report?.shapes ?? []), ...report.shapes];
    this.set({ ...this.report, ...report, shapes });
  }

  /** The call was not made: why, in words. */
  refuse(error) {
    this.set(null);
    this.refusal = error;
    this.render();
  }

  /** The shapes to paint on a frame of the call. */
  shapes(frame) {
    const all = this.report?.shapes ?? [];
    return all.filter((shape) => shape.frame === frame && !shape.outside && !this.hidden.has(shape.label));
  }

  highlight(shape) {
    if (this.bright === shape) return;
    this.bright = shape;
    for (const row of $("tab").querySelectorAll("tr[data-shape]")) row.classList.toggle("on", row.shape === shape);
    this.changed();
  }

  render() {
    $("fault").replaceChildren(...this.faults());
    const tabs = this.report ? TABS : [];
    $("tabs").replaceChildren(...tabs.map((name) => this.tabButton(name)));
    const draw = { Found: () => this.found(), JSON: () => this.json(), Repeat: () => this.repeat(), Log: () => this.log() };
    $("tab").replaceChildren(...(this.report ? draw[this.tab]() : []).filter(Boolean));
    $("tab").setAttribute("aria-labelledby", `tab-${this.tab}`);
    this.changed();
  }

  tabButton(name) {
    const chosen = name === this.tab;
    const count = name === "Log" && this.report.log.length ? ` ${this.report.log.length}` : "";
    const choose = () => {
      this.tab = name;
      this.render();
      $(`tab-${name}`).focus();
    };
    return h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-selected": chosen, "aria-controls": "tab", tabIndex: chosen ? 0 : -1, onclick: choose }, name + count);
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = TABS[(TABS.indexOf(this.tab) + step + TABS.length) % TABS.length];
    $(`tab-${next}`).click();
  }

  faults() {
    const { report, refusal } = this;
    if (refusal) {
      const lines = [refusal.why, refusal.remedy && `Try: ${refusal.remedy}`].filter(Boolean);
      return [h("div", { className: "card warn" }, h("b", {}, refusal.message), lines.map((line) => h("p", {}, line)))];
    }
    if (!report?.failed) return [];
    const causes = report.error?.causes ?? [];
    const trace = causes.some((cause) => cause.includes("Traceback")) ? -1 : report.log.findIndex((line) => line.includes("Traceback"));
    const words = report.error ? report.error.cvat : "CVAT takes the answer, but what it stores cannot be opened: see the notes";
    return [
      h("div", { className: "card bad" },
        h("b", {}, "What CVAT’s user sees"), h("p", {}, words),
        causes.map((cause) => (cause.includes("\n") ? h("pre", { className: "bad", tabIndex: 0 }, cause) : h("p", {}, `Cause: ${cause}`))),
        trace >= 0 && h("details", { open: true }, h("summary", {}, "What the function wrote"), h("pre", { className: "bad" }, report.log.slice(Math.max(0, trace - 1)).join("\n")))),
    ];
  }

  found() {
    const { report } = this;
    const shapes = report.shapes.filter((shape) => this.frame === null || shape.frame === this.frame);
    const ms = report.milliseconds;
    return [
      h("div", { className: "stats" },
        h("div", {}, h("span", { className: "big" }, String(shapes.filter((shape) => !shape.outside).length)), h("span", {}, "kept")),
        h("div", {}, h("span", { className: "big" }, String(report.dropped.length)), h("span", {}, "dropped")),
        ms.length > 0 && h("div", {}, h("span", { className: "big" }, milliseconds(ms.at(-1))), h("span", {}, ms.length > 1 ? `last of ${ms.length} calls` : "1 call"))),
      this.chips(report.shapes),
      shapes.length > 0 && this.kept(shapes),
      !shapes.length && !report.failed && h("p", {}, "CVAT would keep nothing."),
      report.dropped.length > 0 && this.dropped(),
      report.form && h("p", { className: "hint" }, `Form of the answer: ${report.form}.`),
      ...report.notes.map((note) => h("p", { className: "note" }, note)),
      h("div", { className: "row" }, h("button", { type: "button", id: "save-picture", onclick: () => this.savePicture() }, "Save the picture")),
    ];
  }

  /** A filter by label, where there are several. */
  chips(shapes) {
    const counts = new Map();
    for (const { label, color } of shapes) counts.set(label, { color, count: (counts.get(label)?.count ?? 0) + 1 });
    if (counts.size < 2) return null;
    const toggle = (label) => (event) => {
      this.hidden[event.target.checked ? "delete" : "add"](label);
      this.changed();
    };
    return h("div", { className: "chips", role: "group", "aria-label": "Labels that are shown" },
      [...counts].map(([label, { color, count }]) =>
        h("label", { className: "chip" }, h("input", { type: "checkbox", checked: !this.hidden.has(label), onchange: toggle(label) }), swatch(color), `${label} ${count}`)));
  }

  kept(shapes) {
    const rows = shapes.slice(0, ROWS).map((shape, number) => {
      const row = h("tr", { tabIndex: 0, "data-shape": "", onmouseenter: () => this.highlight(shape), onmouseleave: () => this.highlight(null), onfocus: () => this.highlight(shape), onblur: () => this.highlight(null) },
        h("td", { className: "number" }, String(number + 1)), h("td", {}, swatch(shape.color), ` ${shape.label}`), h("td", {}, shape.type),
        h("td", {}, shape.geometry, shape.more.map((line) => h("small", { className: line.startsWith("!") ? "note" : "" }, line))));
      row.shape = shape;
      return row;
    });
    const more = shapes.length > ROWS && h("p", { className: "hint" }, `and ${shapes.length - ROWS} more; the JSON has all`);
    return h("div", {}, table("CVAT keeps", ["", "label", "type", "where"], rows), more);
  }

  dropped() {
    const rows = this.report.dropped.slice(0, ROWS).map(({ item, reason }) => h("tr", {}, h("td", { className: "number" }, item === null ? "" : String(item)), h("td", {}, reason)));
    return table("CVAT drops", ["item", "why"], rows);
  }

  json() {
    const { report } = this;
    const save = (what) => h("button", { type: "button", onclick: () => told(async () => download(await saved(report.call, `${what}.json`), `${what}.json`)) }, `Save ${what}.json`);
    return ["request", "answer"].map((what) =>
      h("div", { className: "code" }, h("div", { className: "row" }, h("h3", {}, what === "request" ? "Last request, without its picture" : "Last answer"), save(what)),
        h("pre", { tabIndex: 0 }, readable(report[what]))));
  }

  repeat() {
    const { commands, call } = this.report;
    const copy = (text) => h("button", { type: "button", onclick: (event) => navigator.clipboard.writeText(text).then(() => (event.target.textContent = "Copied")) }, "Copy");
    const command = (title, text, note) =>
      h("div", { className: "code" }, h("div", { className: "row" }, h("h3", {}, title), copy(text)), h("pre", { tabIndex: 0 }, text), h("p", { className: "hint" }, note));
    return [
      command("As CVAT calls it", commands.invoke, "With the files by the names under which you gave them."),
      command("The last request alone", commands.curl, "It sends request.json, with the picture in it:"),
      h("div", { className: "row" }, h("button", { type: "button", onclick: () => told(async () => download(await saved(call, "request.json"), "request.json")) }, "Save request.json")),
    ];
  }

  log() {
    const { log } = this.report;
    return [log.length ? h("pre", { tabIndex: 0 }, log.join("\n")) : h("p", { className: "hint" }, "The function wrote nothing during this call.")];
  }

  savePicture() {
    const { call, commands } = this.report;
    const name = commands.invoke.endsWith(".gif") ? "answer.gif" : "answer.png";
    return told(async () => download(await saved(call, name), name));
  }
}

const swatch = (color) => {
  const element = h("span", { className: "swatch" });
  element.style.background = color;
  return element;
};

const table = (caption, titles, rows) =>
  h("table", {}, h("caption", {}, caption), h("thead", {}, h("tr", {}, titles.map((title) => h("th", { scope: "col" }, title)))), h("tbody", {}, rows));

/** JSON in lines, lists of numbers in one; what is too long as it came. */
function readable({ text, length }) {
  if (text.length < length) return `${text}… ${length - text.length} more characters: save it`;
  const [value] = JSON.parse(text);
  if (value === undefined) return "nothing";
  return JSON.stringify(value, null, 2).replace(/\[\s+(-?[\d.e+-]+,\s+)*-?[\d.e+-]+\s+\]/g, (list) => list.replace(/\s+/g, " "));
}
