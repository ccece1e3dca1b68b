// Pictures as the stage draws them: a bitmap, and ever smaller ones of it, so that a large one moves smoothly.

const SMALLEST = 512;
const KEPT = 48;
const kept = new Map();

/** A decoded picture: `levels[n]` is the bitmap at 1 / 2**n of its size. */
export class Picture {
  constructor(bitmap) {
    this.width = bitmap.width;
    this.height = bitmap.height;
    this.levels = [bitmap];
  }

  static async of(blob) {
    // Frames are upright already; what a file still says of turning has been carried out.
    const picture = new Picture(await createImageBitmap(blob, { imageOrientation: "from-image" }));
    await picture.shrink();
    return picture;
  }

  async shrink() {
    for (let last = this.levels[0]; Math.max(last.width, last.height) > 2 * SMALLEST; last = this.levels.at(-1)) {
      const size = { resizeWidth: Math.ceil(last.width / 2), resizeHeight: Math.ceil(last.height / 2) };
      this.levels.push(await createImageBitmap(last, { ...size, resizeQuality: "medium" }));
    }
  }

  /** The smallest level that is not enlarged at this scale (screen pixels for one of the picture's). */
  level(scale) {
    const index = Math.floor(Math.log2(1 / Math.max(scale, 1e-6)));
    return this.levels[Math.max(0, Math.min(index, this.levels.length - 1))];
  }
}

/** The picture of a frame; the newest are kept. `load` gives its bytes. */
export function decoded(id, load) {
  const found = kept.get(id) ?? load(id).then(Picture.of);
  kept.delete(id);
  kept.set(id, found);
  found.catch(() => kept.delete(id));
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return found;
}
