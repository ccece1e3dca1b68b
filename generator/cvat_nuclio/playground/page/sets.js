// The pictures at hand: what was given at once is a set, a clip or several pictures are its frames.

import { picture, upload } from "./api.js";
import { $, h, say, toast, told } from "./dom.js";
import { decoded } from "./picture.js";

const SAMPLES = [
  ["coffee.jpg", "Cup", "a photograph: detect, click"],
  ["letter.png", "Letter", "lines of text: detect"],
  ["table.mp4", "Clip", "24 frames: track, join"],
];

export class Sets {
  constructor(onchoose) {
    this.onchoose = onchoose;
    this.all = [];
    this.current = null;
    this.samples();
    this.listen();
  }

  get frames() {
    return this.current?.frames ?? [];
  }

  /** Takes files to serve; those that are none are refused there, in words. */
  async take(files) {
    const sets = [];
    for (const file of files) {
      const taken = await told(() => upload(file));
      if (taken) sets.push(taken);
    }
    if (!sets.length) return;
    const frames = sets.flatMap((each) => each.frames);
    const name = sets.length > 1 ? `${sets.length} files` : sets[0].file;
    this.all.push({ name, frames, cut: sets.some((each) => each.cut) });
    if (this.all.at(-1).cut) toast({ message: `${name} goes on: these are its first ${frames.length} frames` });
    say(`${name}: ${frames.length} ${frames.length === 1 ? "picture" : "frames"}`);
    await this.choose(this.all.at(-1));
  }

  async choose(set) {
    this.current = set;
    this.render();
    await this.onchoose(set);
  }

  load(frame) {
    return decoded(frame.id, picture);
  }

  render() {
    $("pictures").replaceChildren(
      ...this.all.map((set) => {
        const pressed = set === this.current;
        const thumb = (set.thumb ??= h("canvas", { width: 120, height: 90 }));
        if (!set.drawn) {
          set.drawn = true;
          told(async () => cover(thumb, await this.load(set.frames[0])));
        }
        const count = set.frames.length > 1 && h("small", {}, String(set.frames.length));
        const label = `${set.name}, ${set.frames.length} frames`;
        return h("button", { type: "button", className: "thumb", title: set.name, "aria-label": label, "aria-pressed": pressed, onclick: () => told(() => this.choose(set)) }, thumb, count);
      }),
    );
  }

  samples() {
    $("more").replaceChildren(
      "or drop them anywhere, or paste one; samples:",
      ...SAMPLES.map(([file, name]) => h("button", { type: "button", className: "link", onclick: () => told(() => this.sample(file)) }, name)),
    );
    $("samples").replaceChildren(
      ...SAMPLES.map(([file, name, what]) =>
        h("button", { type: "button", className: "sample", title: what, onclick: () => told(() => this.sample(file)) },
          h("img", { src: `/page/samples/${file.replace("mp4", "jpg")}`, alt: "" }), h("span", {}, name))),
    );
  }

  async sample(file) {
    const blob = await (await fetch(`/page/samples/${file}`)).blob();
    await this.take([new File([blob], file)]);
  }

  listen() {
    $("open").addEventListener("click", () => $("files").click());
    $("files").addEventListener("change", async () => {
      await this.take([...$("files").files]);
      $("files").value = "";
    });
    addEventListener("paste", (event) => this.take([...event.clipboardData.files]));
    addEventListener("dragover", (event) => {
      event.preventDefault();
      $("drop").hidden = false;
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) $("drop").hidden = true;
    });
    addEventListener("drop", (event) => {
      event.preventDefault();
      $("drop").hidden = true;
      this.take([...event.dataTransfer.files]);
    });
  }
}

function cover(canvas, picture) {
  const scale = Math.max(canvas.width / picture.width, canvas.height / picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  canvas.getContext("2d").drawImage(picture.level(scale), (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
}
