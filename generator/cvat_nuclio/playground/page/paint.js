// Paints what serve says is kept: outlines, edges and masks come ready from there.

const FILL = 0.22;
const SMALL = 512;
const MOST_PIXELS = 2 ** 28;
const masks = new WeakMap();

/** A colour of serve's, `rgb(r, g, b)`, as numbers. */
const numbers = (color) => color.match(/\d+/g).map(Number);

/** Halves of a picture, each of the one before, down to what draws quickly. */
function halves(canvas) {
  const levels = [canvas];
  for (let last = canvas; Math.max(last.width, last.height) > 2 * SMALL; last = levels.at(-1)) {
    const half = new OffscreenCanvas(Math.ceil(last.width / 2), Math.ceil(last.height / 2));
    half.getContext("2d").drawImage(last, 0, 0, half.width, half.height);
    levels.push(half);
  }
  return levels;
}

/** A mask's run lengths as pictures in its colour, the whole and halves: its border whole, its inside a veil. */
function rastered(shape, color) {
  const found = masks.get(shape);
  if (found) return found;
  const [left, top, right, bottom] = shape.mask.slice(-4);
  const width = right - left + 1;
  const height = bottom - top + 1;
  const good = width > 0 && height > 0 && width * height < MOST_PIXELS;
  const canvas = new OffscreenCanvas(good ? width : 1, good ? height : 1);
  const inside = new Uint8Array(good ? width * height : 0);
  let at = 0;
  shape.mask.slice(0, -4).forEach((run, index) => {
    if (index % 2) inside.fill(1, at, at + run);
    at += run;
  });
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const [red, green, blue] = numbers(color);
  const packed = (alpha) => ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0;
  const pixels = new Uint32Array(image.data.buffer);
  const [edge, fill] = [packed(255), packed(96)];
  for (let y = 0, i = 0; good && y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 1) {
      if (!inside[i]) continue;
      const within = x > 0 && y > 0 && x < width - 1 && y < height - 1 && inside[i - 1] && inside[i + 1] && inside[i - width] && inside[i + width];
      pixels[i] = within ? fill : edge;
    }
  }
  context.putImageData(image, 0, 0);
  const mask = { levels: halves(canvas), inside, left, top, width, height };
  masks.set(shape, mask);
  return mask;
}

function path(points, closed) {
  const line = new Path2D();
  points.forEach(([x, y], index) => (index ? line.lineTo(x, y) : line.moveTo(x, y)));
  if (closed) line.closePath();
  return line;
}

function edged(points, edges) {
  const line = new Path2D();
  for (const [one, other] of edges) {
    line.moveTo(...points[one]);
    line.lineTo(...points[other]);
  }
  return line;
}

export function dot(context, [x, y], color, unit, { ring = "#fff", radius = 4.5 } = {}) {
  context.beginPath();
  context.arc(x, y, radius * unit, 0, 2 * Math.PI);
  context.fillStyle = color;
  context.fill();
  context.strokeStyle = ring;
  context.lineWidth = 1.5 * unit;
  context.stroke();
}

/** Where a shape's name stands: its highest point. */
function anchor(shape) {
  if (shape.type === "tag") return [0, 0];
  if (shape.mask) return [shape.mask.at(-4), shape.mask.at(-3)];
  const seen = shape.type === "skeleton" ? shape.points.filter((node) => !node[3]) : shape.points;
  const top = Math.min(...seen.map(([, y]) => y));
  return [Math.min(...seen.map(([x]) => x)), top];
}

function stroke(context, line, color, width, dash = []) {
  context.setLineDash(dash);
  context.lineJoin = context.lineCap = "round";
  context.strokeStyle = "#0008";
  context.lineWidth = width * 1.9;
  context.stroke(line);
  context.strokeStyle = color;
  context.lineWidth = width;
  context.stroke(line);
  context.setLineDash([]);
}

/** One shape in pixels of its picture; `unit` is a pixel of the screen. */
export function paintShape(context, shape, color, unit, { bright = false, faint = false } = {}) {
  context.save();
  context.globalAlpha = faint ? 0.25 : 1;
  const width = (bright ? 3.2 : 2) * unit;
  if (shape.mask) {
    const { levels, left, top, width: wide, height: high } = rastered(shape, color);
    const level = levels[Math.max(0, Math.min(Math.floor(Math.log2(unit)), levels.length - 1))];
    for (let times = bright ? 2 : 1; times > 0; times -= 1) context.drawImage(level, left, top, wide, high);
  } else if (shape.type === "points") shape.points.forEach((point) => dot(context, point, color, unit, { radius: bright ? 6 : 4.5 }));
  else if (shape.edges) {
    stroke(context, edged(shape.points, shape.edges), color, width);
    if (shape.type === "skeleton") shape.points.filter((node) => !node[3]).forEach((node) => dot(context, node, color, unit));
  } else if (shape.points?.length > 1) {
    const closed = shape.type !== "polyline";
    const line = path(shape.points, closed);
    if (closed) {
      context.globalAlpha *= bright ? FILL * 2 : FILL;
      context.fillStyle = color;
      context.fill(line);
      context.globalAlpha = faint ? 0.25 : 1;
    }
    stroke(context, line, color, width);
  }
  context.restore();
}

/** Names in boxes of their colour, each moved down from those before it; `taken` holds their places. */
export function paintName(context, shape, text, color, unit, taken) {
  const [x, y] = anchor(shape);
  if (!Number.isFinite(x) || !Number.isFinite(y)) return;
  const size = 12 * unit;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const width = context.measureText(text).width + 10 * unit;
  const height = 18 * unit;
  let top = Math.max(y - height, 0);
  const over = (box) => x < box[0] + box[2] && box[0] < x + width && top < box[1] + box[3] && box[1] < top + height;
  for (let tries = 0; tries < 30 && taken.some(over); tries += 1) top += height;
  taken.push([x, top, width, height]);
  const [red, green, blue] = numbers(color);
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(x, top, width, height, 4 * unit);
  context.fill();
  context.fillStyle = 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#000" : "#fff";
  context.textBaseline = "middle";
  context.fillText(text, x + 5 * unit, top + height / 2 + unit);
}

/** Whether a place lies on a shape. */
export function hit(context, shape, x, y, unit) {
  if (shape.mask) {
    const mask = masks.get(shape);
    const [column, row] = mask ? [Math.floor(x) - mask.left, Math.floor(y) - mask.top] : [-1, -1];
    return Boolean(mask) && column >= 0 && row >= 0 && column < mask.width && row < mask.height && mask.inside[row * mask.width + column] === 1;
  }
  if (!shape.points?.length) return false;
  const near = ([px, py]) => Math.hypot(px - x, py - y) < 8 * unit;
  if (shape.type === "points" || shape.type === "skeleton") return shape.points.some(near);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.lineWidth = 10 * unit;
  const line = shape.edges ? edged(shape.points, shape.edges) : path(shape.points, shape.type !== "polyline");
  const found = context.isPointInStroke(line, x, y) || (shape.type !== "polyline" && context.isPointInPath(line, x, y));
  context.restore();
  return found;
}
