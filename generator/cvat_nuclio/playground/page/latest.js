// One call at a time: what is asked meanwhile is asked after it, and of several only the last.

import { $ } from "./dom.js";

const SOON = 150;

export class Latest {
  constructor() {
    this.running = false;
    this.next = null;
  }

  async run(work) {
    if (this.running) {
      this.next = work;
      return;
    }
    this.running = true;
    const late = setTimeout(() => ($("busy").hidden = false), SOON);
    try {
      await work();
    } finally {
      clearTimeout(late);
      $("busy").hidden = true;
      this.running = false;
      const { next } = this;
      this.next = null;
      if (next) this.run(next);
    }
  }
}
