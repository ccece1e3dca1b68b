// An interactor: every click, right click and box asks again, and the mask grows on the picture.

import { $, h, milliseconds, segmented } from "../dom.js";
import { Kind } from "../kinds.js";
import { dot, paintShape } from "../paint.js";
import { Prompts } from "../tools.js";

const [IN, OUT, BOX] = ["#22c55e", "#ef4444", "#facc15"];

export class Interactor extends Kind {
  constructor(app) {
    super(app);
    this.times = [];
    this.tool = new Prompts(() => this.changed());
    this.tool.redraw = () => app.stage.draw();
  }

  controls() {
    const { help, not_offered: notOffered = [], waits_for: waitsFor } = this.function;
    const times = this.times.slice(1).sort((one, other) => one - other);
    const middle = times[Math.floor((times.length - 1) / 2)];
    return [
      h("p", {}, help || "Click on the object. A right click says what is not part of it; drag a box around it."),
      waitsFor && h("p", { className: "hint" }, `CVAT’s page waits for ${waitsFor}`),
      ...notOffered.map((text) => h("p", { className: "note" }, text)),
      h("div", { className: "row" },
        h("button", { type: "button", id: "undo", disabled: !this.tool.done.length, onclick: () => this.tool.undo() }, "Undo"),
        h("button", { type: "button", id: "clear", disabled: !this.tool.done.length, onclick: () => this.tool.clear() }, "Start over")),
      this.times.length > 0 && h("div", { className: "stats", id: "times" },
        h("div", {}, h("span", { className: "big" }, milliseconds(this.times[0])), h("span", {}, "first click")),
        middle !== undefined && h("div", {}, h("span", { className: "big" }, milliseconds(middle)), h("span", {}, `${times.length} further, the middle one`))),
    ];
  }

  modes() {
    segmented($("tools"), "mode", [["in", "In", "a click says: part of it"], ["out", "Out", "a click says: not part of it"]], this.tool.mode, (mode) => (this.tool.mode = mode));
  }

  async came() {
    this.times = [];
    this.answer.set(null);
    this.tool.clear(false);
    this.modes();
    this.app.controls();
  }

  again() {
    return this.changed();
  }

  changed() {
    this.app.controls();
    this.app.stage.draw();
    const { tool, shown } = this;
    if (!shown.length) return undefined;
    if (!tool.done.length) {
      this.answer.set(null);
      return undefined;
    }
    return this.ask(shown, tool.options, (report) => this.take(report, shown));
  }

  take(report, shown) {
    if (this.shown[0] !== shown[0] || !this.tool.done.length) return;
    this.times.push(...report.milliseconds);
    this.answer.set(report);
    this.app.controls();
    this.tell(report);
  }

  paint(context, slide, unit) {
    super.paint(context, slide, unit);
    const { tool } = this;
    const box = tool.drawing ?? tool.box;
    if (box) {
      const [{ x: left, y: top }, { x: right, y: bottom }] = box;
      paintShape(context, { type: "polyline", points: [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]] }, BOX, unit);
    }
    for (const [kind, color] of [["in", IN], ["out", OUT]]) {
      for (const { x, y } of tool.points(kind)) dot(context, [x, y], color, unit, { radius: 6 });
    }
  }

  nameOf(shape) {
    return shape.confidence < 1 ? `${shape.label} ${shape.confidence.toFixed(2)}` : shape.label;
  }
}
