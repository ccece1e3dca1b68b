// A tracker: shapes are drawn on a frame, then followed frame by frame, by steps or in play.

import { call, step } from "../api.js";
import { $, h, milliseconds, say, segmented } from "../dom.js";
import { Kind } from "../kinds.js";
import { paintShape } from "../paint.js";
import { Shapes, outline } from "../tools.js";

const DRAWN = "#facc15";

export class Tracker extends Kind {
  constructor(app) {
    super(app);
    this.tool = new Shapes(() => this.changed());
    this.tool.redraw = () => app.stage.draw();
    this.restart();
  }

  /** Forgets the call; drawn shapes stay. */
  restart() {
    this.start = this.tool.done.at(-1)?.frame ?? this.app.frame;
    this.call = null;
    this.done = this.playing = this.stepping = false;
    this.answer.frame = null;
    this.answer.set(null);
  }

  get last() {
    return this.app.sets.frames.length - 1;
  }

  /** The newest frame that was followed to. */
  get reached() {
    return this.start + Math.max(0, ...(this.answer.report?.shapes ?? []).map(({ frame }) => frame), (this.answer.report?.milliseconds.length ?? 0) - 1);
  }

  controls() {
    const { tool, playing, done } = this;
    const ready = tool.done.length > 0 && this.start < this.last && !done;
    const hint = this.last < 1 ? "A tracker needs a clip, or several pictures given at once." : "Draw shapes around what is to be followed, then step or play.";
    return [
      h("p", {}, hint),
      !tool.dragged_ && h("p", { className: "hint" }, "Click corner by corner; a double click or Enter ends the shape."),
      h("div", { className: "row" },
        h("button", { type: "button", className: "main", id: "play", disabled: !ready, onclick: () => (playing ? this.pause() : this.play()) }, playing ? "Pause" : "Play"),
        h("button", { type: "button", id: "step", disabled: !ready || playing, onclick: () => this.step() }, "Step"),
        h("button", { type: "button", id: "undo", disabled: !tool.done.length && !tool.corners.length, onclick: () => this.undo() }, "Undo"),
        h("button", { type: "button", id: "clear", disabled: !tool.done.length, onclick: () => this.clear() }, "Start over")),
      this.stats(),
    ];
  }

  stats() {
    const { report } = this.answer;
    const times = report?.milliseconds.slice(1) ?? [];
    if (!times.length) return null;
    const whole = times.reduce((sum, each) => sum + each, 0);
    const at = this.app.frame - this.start;
    const states = this.tool.done.map((_, index) => {
      const shape = report.shapes.find(({ frame, track }) => frame === at && track === index + 1);
      return h("li", {}, `object ${index + 1}: ${shape && !shape.outside ? "followed" : "lost here"}`);
    });
    return h("div", { className: "field" },
      h("div", { className: "stats", id: "speed" },
        h("div", {}, h("span", { className: "big" }, `${((1000 * times.length) / whole).toFixed(1)}`), h("span", {}, "frames/s")),
        h("div", {}, h("span", { className: "big" }, String(times.length)), h("span", {}, `frames followed, ${milliseconds(whole / times.length)} each`))),
      h("ul", { id: "objects" }, states));
  }

  async came(isNew) {
    segmented($("tools"), "shape", (this.function.shape_types ?? []).map((type) => [type, type]), this.tool.type, (type) => {
      this.tool.type = type;
      this.app.controls();
    });
    if (isNew) {
      this.tool.type = this.function.shape_types?.[0] ?? "rectangle";
      this.tool.done = [];
      this.tool.corners = [];
      this.restart();
    }
    this.answer.frame = this.app.frame - this.start;
    this.answer.render();
    this.app.controls();
  }

  /** Something was drawn, or taken back: the call begins anew on the frame of the newest shape, with those beside it. */
  changed() {
    const { done } = this.tool;
    if (done.length) done.at(-1).frame ??= this.app.frame;
    this.tool.done = done.filter(({ frame }) => frame === done.at(-1).frame);
    this.restart();
    this.app.controls();
    this.app.stage.draw();
  }

  again() {
    this.restart();
    this.app.controls();
  }

  async step() {
    if (this.stepping || this.done) return false;
    this.stepping = true;
    try {
      await this.advance();
    } catch (error) {
      this.playing = false;
      this.answer.refuse(error);
    } finally {
      this.stepping = false;
    }
    this.app.controls();
    return !this.done;
  }

  async advance() {
    if (this.app.frame !== this.reached) await this.app.go(this.reached);
    const [began, frames] = [this.start, this.app.sets.frames.slice(this.start)];
    const options = { shape: this.tool.done.map((shape) => shape.text), cvat: this.app.cvat };
    const token = (this.token = {});
    const report = this.call ? await step(this.call) : await call(this.function.name, frames, options);
    if (this.app.kind !== this || this.token !== token || began !== this.start) return;
    this.call = report.call;
    this.done = report.done;
    this.answer.grow(report);
    if (report.failed) {
      this.playing = false;
      this.tell(report);
    }
    await this.app.go(Math.min(this.reached, this.last));
    if (this.done && !report.failed) say(`followed to the last frame`);
  }

  async play() {
    this.playing = true;
    while (this.playing && this.app.kind === this && (await this.step()));
    this.playing = false;
    this.app.controls();
  }

  pause() {
    this.playing = false;
    this.app.controls();
  }

  frameOf() {
    return this.app.frame - this.start;
  }

  paint(context, slide, unit) {
    if (this.answer.report) super.paint(context, slide, unit);
    else if (this.app.frame === this.start) for (const shape of this.tool.done) paintShape(context, shape.seen ?? outline(shape), DRAWN, unit);
    this.paintDrawing(context, unit);
  }

  paintDrawing(context, unit) {
    const { drawing, corners, type } = this.tool;
    if (drawing) paintShape(context, this.tool.preview(), DRAWN, unit);
    else if (corners.length) paintShape(context, { type: type === "points" ? "points" : "polyline", points: corners.map(({ x, y }) => [x, y]) }, DRAWN, unit);
  }
}
