// What the kinds of functions share: the frames on the stage, a call, and its answer.

import { call } from "./api.js";
import { say } from "./dom.js";
import { Latest } from "./latest.js";
import { paintName, paintShape } from "./paint.js";

const NAMED = 60;

export class Kind {
  constructor(app) {
    this.app = app;
    this.answer = app.answer;
    this.latest = new Latest();
    this.answer.frame = null;
  }

  get function() {
    return this.app.function;
  }

  /** The frames that stand on the stage. */
  get shown() {
    const frame = this.app.sets.frames[this.app.frame];
    return frame ? [frame] : [];
  }

  tool = null;
  controls() {
    return [];
  }

  /** Another set of pictures, or another frame of it. */
  async came() {}

  undo() {
    this.tool?.undo();
  }

  clear() {
    this.tool?.clear();
  }

  /** The generation of CVAT has changed. */
  again() {}

  /** Calls the function, as long as it is asked on this set of pictures and in this kind. */
  ask(frames, options, take) {
    return this.latest.run(async () => {
      const name = this.function.name;
      try {
        const report = await call(name, frames, { ...options, cvat: this.app.cvat });
        if (this.app.kind === this && this.app.function.name === name) take(report);
      } catch (error) {
        if (this.app.kind === this) this.answer.refuse(error);
      }
    });
  }

  /** The number of a slide's frame in the call's report. */
  frameOf(slide) {
    return slide;
  }

  paint(context, slide, unit) {
    const shapes = this.answer.shapes(this.frameOf(slide));
    const { bright } = this.answer;
    for (const shape of [...shapes].sort((one, other) => Boolean(other.mask) - Boolean(one.mask))) {
      paintShape(context, shape, shape.color, unit, { bright: shape === bright, faint: bright && shape !== bright && shapes.includes(bright) });
    }
    const taken = [];
    for (const shape of this.named(shapes)) {
      paintName(context, shape, this.nameOf(shape), shape.color, unit, taken);
    }
  }

  /** Whose names are painted: those of many shapes, or of one label, would hide more than they tell. */
  named(shapes) {
    const many = shapes.length > NAMED || (shapes.length > 3 && new Set(shapes.map((shape) => this.nameOf(shape))).size === 1);
    return many ? shapes.filter((shape) => shape === this.answer.bright || shape.type === "tag") : shapes;
  }

  nameOf(shape) {
    return shape.label + (shape.group ? ` · group ${shape.group}` : "");
  }

  tell(report) {
    if (report.failed) say(`CVAT fails: ${report.error?.cvat ?? "what it stores cannot be opened"}`);
    else say(`${report.shapes.length} kept, ${report.dropped.length} dropped, ${Math.round(report.milliseconds.at(-1) ?? 0)} milliseconds`);
  }
}
