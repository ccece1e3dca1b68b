// ReID: boxes on two frames, and lines between those that are joined.

import { call } from "../api.js";
import { $, h, say, slider } from "../dom.js";
import { Kind } from "../kinds.js";
import { paintShape } from "../paint.js";
import { Shapes, outline, text } from "../tools.js";

const DRAWN = "#facc15";
/** Frames of a clip between those that are shown at first. */
const APART = 6;

export class ReID extends Kind {
  constructor(app) {
    super(app);
    this.pair = [0, 0];
    this.distance = this.threshold = 0;
    this.tool = new Shapes(() => this.changed());
    this.tool.redraw = () => app.stage.draw();
  }

  get frames() {
    return this.app.sets.all.flatMap(({ frames }) => frames);
  }

  get shown() {
    const frames = this.frames;
    return frames.length ? this.pair.map((number) => frames[number]) : [];
  }

  controls() {
    const size = Math.max(100, ...this.shown.map(({ width, height }) => Math.max(width, height)));
    const change = (name) => (value) => {
      this[name] = value;
      this.join();
    };
    return [
      h("p", {}, "Draw a box around the same things on both frames, or let a detector find them."),
      h("div", { className: "row" }, this.chooser(0), this.chooser(1)),
      this.finders(),
      slider("Distance", { min: 0, max: size, step: 1, value: this.distance, words: (value) => (value ? `at most ${value} pixels` : "the function’s own"), onchange: change("distance") }),
      slider("Threshold", { min: 0, max: 1, step: 0.01, value: this.threshold, words: (value) => (value ? value.toFixed(2) : "the function’s own"), onchange: change("threshold") }),
      h("div", { className: "row" },
        h("button", { type: "button", id: "undo", disabled: !this.tool.done.length, onclick: () => this.undo() }, "Undo"),
        h("button", { type: "button", id: "clear", disabled: !this.tool.done.length, onclick: () => this.clear() }, "Start over")),
    ];
  }

  chooser(side) {
    const options = this.frames.map((frame, number) => h("option", { value: number, selected: number === this.pair[side] }, frame.name));
    const name = side ? "Second frame" : "First frame";
    const choose = async (event) => {
      this.pair[side] = Number(event.target.value);
      this.tool.done = this.tool.done.filter((box) => box.slide !== side);
      await this.app.show();
      this.changed();
    };
    return h("label", { className: "field" }, h("span", {}, name), h("select", { id: `frame${side}`, onchange: choose }, options));
  }

  finders() {
    const detectors = this.app.functions.all.filter(({ kind }) => kind === "detector");
    return detectors.length > 0 && h("div", { className: "row" },
      detectors.map(({ name, title }) => h("button", { type: "button", onclick: () => this.find(name) }, `Boxes of ${title}`)));
  }

  /** A detector's shapes on both frames, as the boxes around them. */
  find(name) {
    return this.latest.run(async () => {
      try {
        const found = [];
        for (const [slide, frame] of this.shown.entries()) {
          const report = await call(name, [frame], { cvat: this.app.cvat });
          for (const shape of report.shapes) found.push(...around(shape, slide));
        }
        say(`${found.length} boxes`);
        this.tool.done = found;
        this.changed();
      } catch (error) {
        this.answer.refuse(error);
      }
    });
  }

  async came(isNew) {
    const { all, current } = this.app.sets;
    if (isNew && current) {
      const before = all.slice(0, all.indexOf(current)).reduce((sum, { frames }) => sum + frames.length, 0);
      const last = before + current.frames.length - 1;
      this.pair = current.frames.length > 1 ? [before, Math.min(last, before + APART)] : [Math.max(0, before - 1), before];
      this.tool.done = [];
      this.answer.set(null);
    }
    this.app.controls();
  }

  again() {
    return this.join();
  }

  changed() {
    this.app.controls();
    this.app.stage.draw();
    return this.join();
  }

  boxes(slide) {
    return this.tool.done.filter((box) => box.slide === slide);
  }

  join() {
    if (!this.boxes(0).length || !this.boxes(1).length) {
      this.answer.set(null);
      return undefined;
    }
    const texts = (slide) => this.boxes(slide).map(({ label, points: [one, other] }) => (label ? `${label}:` : "") + text(...one, ...other));
    const options = { box0: texts(0), box1: texts(1) };
    if (this.distance) options.max_distance = this.distance;
    if (this.threshold) options.threshold = this.threshold;
    return this.ask(this.shown, options, (report) => {
      this.answer.set(report);
      say(report.failed ? "CVAT fails" : `${this.joined().length} joined`);
    });
  }

  /** Pairs of shapes of one track, one on each frame. */
  joined() {
    const on = (frame) => new Map(this.answer.shapes(frame).map((shape) => [shape.track, shape]));
    const second = on(1);
    return [...on(0)].filter(([track]) => second.has(track)).map(([track, shape]) => [shape, second.get(track)]);
  }

  paint(context, slide, unit) {
    if (this.answer.report && !this.answer.report.failed) super.paint(context, slide, unit);
    else for (const box of this.boxes(slide)) paintShape(context, outline(box), DRAWN, unit);
    if (this.tool.drawing?.[0].slide === slide) paintShape(context, this.tool.preview(), DRAWN, unit);
  }

  /** The lines, over both pictures. */
  over(context, unit) {
    const { stage } = this.app;
    stage.enterAll();
    for (const pair of this.joined()) {
      const ends = pair.map((shape, slide) => {
        const [xs, ys] = [0, 1].map((axis) => shape.points.map((point) => point[axis]));
        const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
        return [middle(xs) + stage.slides[slide].x, middle(ys) + stage.slides[slide].y];
      });
      paintShape(context, { type: "polyline", points: ends }, pair[0].color, unit, { bright: pair.includes(this.answer.bright) });
    }
  }

  nameOf(shape) {
    return `track ${shape.track}`;
  }
}

function around(shape, slide) {
  const points = shape.mask ? [shape.mask.slice(-4, -2), shape.mask.slice(-2).map((edge) => edge + 1)] : shape.points ?? [];
  if (points.length < 2) return [];
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  return [{ type: "rectangle", label: shape.label, slide, points: [[Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]] }];
}
