// What a gesture on the stage draws. Places are {slide, x, y} in pixels of the picture.

const rounded = (value) => Math.round(value * 10) / 10;
export const text = (...values) => values.map(rounded).join(",");
const RIGHT = 2;

/** Left click in, right click out, a drag is a box; `mode` says what a left click or a touch means. */
export class Prompts {
  constructor(changed) {
    this.changed = changed;
    this.mode = "in";
    this.clear(false);
  }

  clear(tell = true) {
    this.done = [];
    this.drawing = null;
    if (tell) this.changed();
  }

  /** The newest of each kind: a second box takes the place of the first. */
  get box() {
    return this.done.filter(({ kind }) => kind === "box").at(-1)?.points ?? null;
  }

  points(kind) {
    return this.done.filter((each) => each.kind === kind).map(({ points }) => points[0]);
  }

  get options() {
    const box = this.box;
    return {
      pos: this.points("in").map(({ x, y }) => text(x, y)),
      neg: this.points("out").map(({ x, y }) => text(x, y)),
      ...(box ? { box: text(box[0].x, box[0].y, box[1].x, box[1].y) } : {}),
    };
  }

  add(kind, ...points) {
    this.done.push({ kind, points });
    this.drawing = null;
    this.changed();
  }

  undo() {
    if (this.done.pop()) this.changed();
  }

  click(at, button) {
    this.add(button === RIGHT || this.mode === "out" ? "out" : "in", at);
  }

  drag(from, to) {
    this.drawing = sorted(from, to);
    this.redraw?.();
  }

  dragged(from, to) {
    const box = sorted(from, to);
    if (box[1].x - box[0].x >= 2 && box[1].y - box[0].y >= 2) this.add("box", ...box);
    else this.click(from, 0);
  }

  cancel() {
    this.drawing = null;
    this.redraw?.();
  }
}

/** Draws shapes of one type: boxes and ellipses by a drag, the others corner by corner. */
export class Shapes {
  constructor(changed) {
    this.changed = changed;
    this.type = "rectangle";
    this.done = [];
    this.corners = [];
    this.drawing = null;
  }

  get dragged_() {
    return this.type === "rectangle" || this.type === "ellipse";
  }

  clear() {
    this.done = [];
    this.corners = [];
    this.drawing = null;
    this.changed();
  }

  undo() {
    if (this.corners.length) this.corners.pop();
    else if (!this.done.length) return;
    else this.done.pop();
    this.changed();
  }

  add(points, slide) {
    const shape = { type: this.type, points, slide };
    const mask = this.type === "mask" && filled(points);
    if (mask) shape.seen = { type: "mask", mask };
    shape.text = `${this.type}:${mask ? mask.join(",") : text(...points.flat())}`;
    this.done.push(shape);
    this.corners = [];
    this.drawing = null;
    this.changed();
  }

  drag(from, to) {
    if (!this.dragged_) return;
    this.drawing = sorted(from, to);
    this.redraw?.();
  }

  dragged(from, to) {
    if (!this.dragged_) return this.click(to);
    const [one, other] = (this.drawing = sorted(from, to));
    if (other.x - one.x >= 2 && other.y - one.y >= 2) return this.add(this.spanned(), one.slide);
    return this.cancel();
  }

  /** The points of the shape that a drag spans. */
  spanned() {
    const [one, other] = this.drawing;
    if (this.type === "rectangle") return [[one.x, one.y], [other.x, other.y]];
    // CVAT's ellipse: the centre, then the right and the upper end.
    return [[(one.x + other.x) / 2, (one.y + other.y) / 2], [other.x, one.y]];
  }

  preview() {
    return outline({ type: this.type, points: this.spanned() });
  }

  click(at) {
    if (this.dragged_ || (this.corners.length && this.corners[0].slide !== at.slide)) return;
    this.corners.push(at);
    this.changed();
  }

  /** Ends a shape that is drawn corner by corner. */
  finish() {
    const fewest = { polygon: 3, mask: 3, polyline: 2, points: 1 }[this.type];
    if (!fewest || this.corners.length < fewest) return;
    this.add(this.corners.map(({ x, y }) => [x, y]), this.corners[0].slide);
  }

  cancel() {
    this.drawing = null;
    this.redraw?.();
  }
}

function sorted(from, to) {
  const [left, right] = [Math.min(from.x, to.x), Math.max(from.x, to.x)];
  const [top, bottom] = [Math.min(from.y, to.y), Math.max(from.y, to.y)];
  return [{ slide: from.slide, x: left, y: top }, { slide: from.slide, x: right, y: bottom }];
}

/** The pixels in a polygon as CVAT's mask: runs from the background on, then the box. Null for none. */
function filled(points) {
  const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
  const [left, top] = [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys))];
  const [width, height] = [Math.ceil(Math.max(...xs)) - left, Math.ceil(Math.max(...ys)) - top];
  if (width < 1 || height < 1) return null;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.beginPath();
  points.forEach(([x, y]) => context.lineTo(x - left, y - top));
  context.fill();
  const alpha = context.getImageData(0, 0, width, height).data;
  const runs = [0];
  for (let i = 3, inside = false; i < alpha.length; i += 4) {
    if (alpha[i] > 127 !== inside) {
      inside = !inside;
      runs.push(0);
    }
    runs[runs.length - 1] += 1;
  }
  return [...runs, left, top, left + width - 1, top + height - 1];
}

/** A drawn shape as paint.js takes it. */
export function outline({ type, points }) {
  const [[x0, y0], [x1, y1] = []] = points;
  if (type === "rectangle") return { type, points: [[x0, y0], [x1, y0], [x1, y1], [x0, y1]] };
  if (type !== "ellipse") return { type, points };
  const angles = Array.from({ length: 72 }, (_, step) => (step * Math.PI) / 36);
  return { type, points: angles.map((angle) => [x0 + (x1 - x0) * Math.cos(angle), y0 + (y0 - y1) * Math.sin(angle)]) };
}
