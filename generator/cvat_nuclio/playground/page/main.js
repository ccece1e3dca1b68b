// The page: which function, which pictures, which frame; everything else is a kind's.

import { Answer } from "./answer.js";
import { $, h, say, told } from "./dom.js";
import { Functions } from "./functions.js";
import { Detector } from "./kinds/detector.js";
import { Interactor } from "./kinds/interactor.js";
import { ReID } from "./kinds/reid.js";
import { Tracker } from "./kinds/tracker.js";
import { Kind } from "./kinds.js";
import { hit } from "./paint.js";
import { Sets } from "./sets.js";
import { Stage } from "./stage.js";
import { theme } from "./theme.js";

const KINDS = { detector: Detector, interactor: Interactor, tracker: Tracker, reid: ReID };

class App {
  constructor() {
    this.cvat = "G3";
    this.frame = 0;
    this.stage = new Stage($("canvas"));
    this.stage.paint = (context, slide, unit) => this.kind?.paint(context, slide, unit);
    this.stage.over = (context, unit) => this.kind?.over?.(context, unit);
    this.stage.onview = (scale) => ($("zoom").value = `${Math.round(scale * 100)}%`);
    this.stage.onhover = (at) => this.hover(at);
    this.answer = new Answer(() => this.stage.draw());
    this.sets = new Sets(() => this.newSet());
    this.functions = new Functions((chosen) => told(() => this.choose(chosen)), () => this.about());
    this.buttons();
    this.functions.refresh(this.cvat);
  }

  get function() {
    return this.functions.current;
  }

  async choose(chosen) {
    $("tools").replaceChildren();
    this.answer.hidden.clear();
    this.answer.set(null);
    // One that CVAT cannot list, or never calls, can only be looked at.
    this.kind = new (KINDS[chosen.fault ? "" : chosen.kind] ?? Kind)(this);
    this.stage.tool = this.kind.tool;
    this.about();
    await this.came(true);
  }

  async newSet() {
    this.frame = 0;
    $("empty").hidden = true;
    await this.came(true);
  }

  async came(isNew) {
    this.timeline();
    this.controls();
    if (!this.sets.current || !this.kind) return;
    // A kind may choose its frames by what came.
    const done = this.kind.came(isNew);
    await this.show(!isNew);
    await done;
  }

  async show(keep = false) {
    const token = (this.showing = {});
    const pictures = await Promise.all(this.kind.shown.map((frame) => this.sets.load(frame)));
    if (this.showing !== token) return;
    this.stage.show(pictures, keep);
    const names = this.kind.shown.map(({ name }) => name).join(" and ");
    $("canvas").setAttribute("aria-label", `${names}; ${this.function.kind}`);
  }

  /** Another frame of the set. */
  async go(frame) {
    this.frame = Math.min(Math.max(frame, 0), this.sets.frames.length - 1);
    await this.came(false);
  }

  about() {
    const { function: shown } = this;
    if (!shown) return;
    const labels = shown.labels.map(({ name, type, color, attributes, sublabels }) => {
      const more = [...attributes, ...sublabels.map((each) => `· ${each}`)].join(", ");
      const swatch = h("span", { className: "swatch" });
      swatch.style.background = color;
      return h("span", { className: "chip", title: [type, more].filter(Boolean).join(": ") }, swatch, name);
    });
    const state = shown.state === "ready" ? "" : `${shown.state === "unhealthy" ? "It has ended for good" : "It is being started"}${shown.cause ? `: ${shown.cause}` : ""}`;
    $("about").replaceChildren(
      h("h3", {}, shown.title),
      h("p", { className: "hint" }, shown.description),
      ...(labels.length ? [h("details", { open: labels.length < 13 }, h("summary", {}, `${labels.length} ${labels.length === 1 ? "label" : "labels"}`), h("div", { className: "chips" }, labels))] : []),
      ...(state ? [h("div", { className: "card bad", role: "status" }, h("p", {}, state))] : []),
      ...(shown.fault ? [h("div", { className: "card bad" }, h("p", {}, shown.fault))] : []),
    );
  }

  controls() {
    const focused = document.activeElement?.id;
    $("ask").replaceChildren(...(this.kind?.controls() ?? []).filter(Boolean));
    if (focused && $("ask").querySelector(`#${CSS.escape(focused)}`)) $(focused).focus();
  }

  timeline() {
    const count = this.sets.frames.length;
    const hidden = count < 2 || this.kind instanceof ReID;
    $("timeline").hidden = hidden;
    if (hidden) return;
    if (!$("slider")) {
      const input = h("input", { type: "range", id: "slider", min: 0, step: 1, "aria-label": "Frame", oninput: () => told(() => this.go(Number(input.value))) });
      const button = (text, label, by) => h("button", { type: "button", className: "quiet", "aria-label": label, onclick: () => told(() => this.go(this.frame + by)) }, text);
      $("timeline").append(button("‹", "Frame before", -1), input, button("›", "Next frame", 1), h("output", { id: "at" }));
    }
    $("slider").max = count - 1;
    $("slider").value = this.frame;
    $("at").value = `${this.frame} / ${count - 1}`;
  }

  hover(at) {
    $("position").value = at ? `${Math.floor(at.x)}, ${Math.floor(at.y)}` : "";
    if (!at || !this.kind) return this.answer.highlight(null);
    const shapes = this.answer.shapes(this.kind.frameOf(at.slide));
    return this.answer.highlight(shapes.findLast((shape) => hit(this.stage.context, shape, at.x, at.y, 1 / this.stage.scale)) ?? null);
  }

  buttons() {
    const { stage } = this;
    $("in").addEventListener("click", () => stage.zoom(1.4));
    $("out").addEventListener("click", () => stage.zoom(1 / 1.4));
    $("fit").addEventListener("click", () => stage.fit());
    $("help").addEventListener("click", () => {
      $("keys").hidden = !$("keys").hidden;
      $("help").setAttribute("aria-expanded", !$("keys").hidden);
    });
    $("generation").addEventListener("change", (event) => told(() => this.generation(event.target.value)));
    $("canvas").addEventListener("keydown", (event) => this.key(event));
    addEventListener("keyup", (event) => event.key === " " && (stage.space = false));
    theme($("theme"), () => {
      stage.background = undefined;
      stage.draw();
    });
  }

  async generation(cvat) {
    this.cvat = cvat;
    await this.functions.refresh(cvat);
    this.controls();
    if (this.sets.current) await this.kind?.again();
  }

  key(event) {
    const far = event.shiftKey ? 10 : 1;
    const arrows = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] };
    const { stage } = this;
    const keys = {
      "+": () => stage.zoom(1.4), "=": () => stage.zoom(1.4), "-": () => stage.zoom(1 / 1.4), 0: () => stage.fit(),
      u: () => this.kind?.undo(), Escape: () => this.kind?.clear(), b: () => this.corner(), x: () => this.clickCross(2),
      Enter: () => this.clickCross(event.shiftKey ? 2 : 0), " ": () => (stage.space = true),
      ",": () => told(() => this.go(this.frame - 1)), ".": () => told(() => this.go(this.frame + 1)),
    };
    if (event.ctrlKey || event.metaKey) {
      if (event.key !== "z") return;
      this.kind?.undo();
    } else if (arrows[event.key]) {
      const cross = stage.moveCross(...arrows[event.key].map((each) => each * 8));
      if (cross) say(`${cross.x}, ${cross.y}`);
    } else if (keys[event.key]) keys[event.key]();
    else return;
    event.preventDefault();
  }

  clickCross(button) {
    const { cross, tool } = this.stage;
    if (!tool || !cross) return;
    if (button === 0 && tool.corners?.length && cross.x === tool.corners.at(-1).x && cross.y === tool.corners.at(-1).y) tool.finish();
    else tool.click?.(cross, button);
  }

  /** The keyboard's box: its first corner, then the one across. */
  corner() {
    const { cross, tool } = this.stage;
    if (!tool || !cross) return;
    if (!this.first || this.first.slide !== cross.slide) {
      this.first = cross;
      say(`first corner at ${cross.x}, ${cross.y}`);
      return;
    }
    tool.dragged(this.first, cross, 0);
    this.first = null;
  }
}

// For who looks at it from the console, and for the tests.
window.app = new App();
