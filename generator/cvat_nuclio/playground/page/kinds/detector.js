// A detector: asked as soon as there is a picture, and again for every other threshold.

import { check, h, slider } from "../dom.js";
import { Kind } from "../kinds.js";

export class Detector extends Kind {
  threshold = 0;
  polygons = false;

  controls() {
    const words = (value) => (value ? value.toFixed(2) : "the function’s own");
    const change = (name) => (value) => {
      this[name] = value;
      this.detect();
    };
    return [
      slider("Threshold", { min: 0, max: 1, step: 0.01, value: this.threshold, words, onchange: change("threshold") }),
      check("Convert masks to polygons", this.polygons, change("polygons")),
      h("button", { type: "button", className: "main", id: "detect", onclick: () => this.detect() }, "Detect"),
    ];
  }

  async came() {
    this.answer.set(null);
    return this.detect();
  }

  again() {
    return this.detect();
  }

  detect() {
    const frames = this.shown;
    if (!frames.length) return undefined;
    const options = { ...(this.threshold ? { threshold: this.threshold } : {}), conv_mask_to_poly: this.polygons };
    return this.ask(frames, options, (report) => {
      if (this.shown[0] !== frames[0]) return;
      this.answer.set(report);
      this.tell(report);
    });
  }
}
