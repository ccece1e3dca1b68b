// The canvas: one or two pictures side by side, moved and zoomed; gestures go to the tool at hand.

const MOST = 40;
const CLICK = 5;
const MARGIN = 16;

function placed(pictures, tall) {
  let at = 0;
  return pictures.map((picture) => {
    const slide = { picture, x: tall ? 0 : at, y: tall ? at : 0 };
    at += (tall ? picture.height : picture.width) + Math.round(Math.max(picture.width, picture.height) / 40);
    return slide;
  });
}

export class Stage {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.slides = [];
    this.scale = 1;
    this.x = this.y = 0;
    this.paint = () => {};
    this.tool = null;
    this.cross = null;
    this.onview = this.onhover = () => {};
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => this.resize()).observe(canvas);
  }

  /** Pictures side by side or one above the other, whichever shows them larger. */
  show(pictures, keep = false) {
    const before = this.size();
    const [row, column] = [false, true].map((tall) => {
      this.slides = placed(pictures, tall);
      return { slides: this.slides, scale: this.whole() };
    });
    this.slides = (column.scale > row.scale ? column : row).slides;
    const same = before.width === this.size().width && before.height === this.size().height;
    if (!(keep && same)) this.fit();
    this.draw();
  }

  size() {
    return {
      width: Math.max(0, ...this.slides.map(({ picture, x }) => x + picture.width)),
      height: Math.max(0, ...this.slides.map(({ picture, y }) => y + picture.height)),
    };
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const fitted = this.fitted;
    this.canvas.width = Math.round(this.canvas.clientWidth * ratio);
    this.canvas.height = Math.round(this.canvas.clientHeight * ratio);
    this.ratio = ratio;
    if (fitted) this.fit();
    this.draw(true);
  }

  /** The scale at which all of it is seen. */
  whole() {
    const { width, height } = this.size();
    return Math.min((this.canvas.clientWidth - 2 * MARGIN) / width, (this.canvas.clientHeight - 2 * MARGIN) / height, 8);
  }

  fit() {
    const { width, height } = this.size();
    if (!width || !this.canvas.clientWidth) return;
    this.scale = this.whole();
    this.x = (this.canvas.clientWidth - width * this.scale) / 2;
    this.y = (this.canvas.clientHeight - height * this.scale) / 2;
    this.fitted = true;
    this.draw();
  }

  /** Zooms by a factor around a place on the screen; the middle by default. */
  zoom(factor, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const scale = Math.min(Math.max(this.scale * factor, 0.01), MOST);
    this.x = x - ((x - this.x) * scale) / this.scale;
    this.y = y - ((y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.draw();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.draw();
  }

  /** Draws before the next frame of the screen; `now` at once. */
  draw(now = false) {
    if (now) return this.render();
    this.asked ??= requestAnimationFrame(() => this.render());
    return undefined;
  }

  render() {
    if (this.asked) cancelAnimationFrame(this.asked);
    this.asked = undefined;
    const { context, ratio = 1 } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.background ??= getComputedStyle(this.canvas.parentElement.parentElement).backgroundColor;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    this.slides.forEach((slide, index) => {
      this.enter(slide);
      const bitmap = slide.picture.level(this.scale * ratio);
      context.imageSmoothingEnabled = this.scale * ratio < 3;
      context.drawImage(bitmap, 0, 0, slide.picture.width, slide.picture.height);
      context.imageSmoothingEnabled = true;
      this.paint(context, index, 1 / this.scale);
    });
    this.over?.(context, 1 / this.scale);
    if (this.cross && this.slides[this.cross.slide]) this.paintCross();
    if (this.told !== this.scale) this.onview((this.told = this.scale));
  }

  enter({ x, y }) {
    const scale = this.scale * (this.ratio ?? 1);
    const ratio = this.ratio ?? 1;
    this.context.setTransform(scale, 0, 0, scale, this.x * ratio + x * scale, this.y * ratio + y * scale);
  }

  /** All slides in one system, for lines from one to another. */
  enterAll() {
    this.enter({ x: 0, y: 0 });
  }

  paintCross() {
    this.enter(this.slides[this.cross.slide]);
    const { context } = this;
    const { x, y } = this.cross;
    const unit = 1 / this.scale;
    for (const [color, width] of [["#000", 3.5], ["#fff", 1.5]]) {
      context.beginPath();
      context.moveTo(x - 14 * unit, y);
      context.lineTo(x + 14 * unit, y);
      context.moveTo(x, y - 14 * unit);
      context.lineTo(x, y + 14 * unit);
      context.strokeStyle = color;
      context.lineWidth = width * unit;
      context.stroke();
    }
  }

  /** The place under the pointer: which slide, in its pixels, and whether inside. */
  at(event, slide = null) {
    const rect = this.canvas.getBoundingClientRect();
    const x = (event.clientX - rect.left - this.x) / this.scale;
    const y = (event.clientY - rect.top - this.y) / this.scale;
    const inside = ({ picture, x: left, y: top }) => x >= left && y >= top && x < left + picture.width && y < top + picture.height;
    const index = slide ?? this.slides.findIndex(inside);
    if (index < 0) return null;
    const { picture, x: left, y: top } = this.slides[index];
    const clamp = (value, most) => Math.min(Math.max(value, 0), most);
    return { slide: index, x: clamp(x - left, picture.width), y: clamp(y - top, picture.height) };
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const rect = canvas.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - rect.left, event.clientY - rect.top);
    }, { passive: false });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => this.onhover(null));
    canvas.addEventListener("dblclick", () => this.tool?.finish?.());
  }

  down(event) {
    this.canvas.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.cross = null;
    if (this.pointers.size > 1) {
      this.gesture?.cancel?.();
      this.gesture = { kind: "pan" };
      return;
    }
    const at = this.at(event);
    const pans = event.button === 1 || this.space || !this.tool || !at;
    this.gesture = { kind: pans ? "pan" : "tool", at, x: event.clientX, y: event.clientY, button: event.button, moved: false };
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.onhover(this.at(event), event);
      return;
    }
    const gesture = this.gesture;
    if (this.pointers.size === 2) this.pinch(event, before);
    else if (gesture.kind === "pan") this.pan(event.clientX - before.x, event.clientY - before.y);
    else {
      gesture.moved ||= Math.hypot(event.clientX - gesture.x, event.clientY - gesture.y) > CLICK;
      if (gesture.moved) this.tool?.drag?.(gesture.at, this.at(event, gesture.at.slide), gesture.button);
    }
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  pinch(event, before) {
    const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    const rect = this.canvas.getBoundingClientRect();
    const apart = (place) => Math.hypot(place.x - other.x, place.y - other.y);
    const now = { x: event.clientX, y: event.clientY };
    this.zoom(apart(now) / Math.max(apart(before), 1), (now.x + other.x) / 2 - rect.left, (now.y + other.y) / 2 - rect.top);
    this.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }

  up(event) {
    const gesture = this.gesture;
    const alone = this.pointers.size === 1;
    this.pointers.delete(event.pointerId);
    if (!gesture || gesture.kind === "pan" || !alone) return;
    this.gesture = null;
    if (event.type === "pointercancel") this.tool?.cancel?.();
    else if (gesture.moved) this.tool?.dragged?.(gesture.at, this.at(event, gesture.at.slide), gesture.button);
    else this.tool?.click?.(gesture.at, gesture.button);
  }

  /** Moves the keyboard's cross, which begins in the middle; it is kept in sight. */
  moveCross(dx, dy) {
    if (!this.slides.length) return null;
    this.cross ??= { slide: 0, x: Math.floor(this.slides[0].picture.width / 2), y: Math.floor(this.slides[0].picture.height / 2) };
    const { picture } = this.slides[this.cross.slide];
    const unit = Math.max(1, Math.round(1 / this.scale));
    let x = this.cross.x + dx * unit;
    let y = this.cross.y + dy * unit;
    const to = this.cross.slide + (x > picture.width || y > picture.height ? 1 : x < 0 || y < 0 ? -1 : 0);
    if (to !== this.cross.slide && this.slides[to]) {
      this.cross = { slide: to, x: Math.floor(this.slides[to].picture.width / 2), y: Math.floor(this.slides[to].picture.height / 2) };
      return this.draw();
    }
    x = Math.min(Math.max(x, 0), picture.width - 1);
    y = Math.min(Math.max(y, 0), picture.height - 1);
    this.cross = { ...this.cross, x, y };
    this.draw();
    return this.cross;
  }
}
