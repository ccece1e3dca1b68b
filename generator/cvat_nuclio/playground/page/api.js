// The serve process's JSON API. Options are those of `cvat-nuclio invoke`, with underscores; values are its texts.

/** What went wrong, in the words of the tool: `message`, `why`, `remedy`. */
export class Told extends Error {
  constructor({ what, why = "", remedy = "" }) {
    super(what);
    this.why = why;
    this.remedy = remedy;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    const headers = { ...options.headers, "x-cvat-nuclio": "page" };
    answer = await fetch(`/api/${path}`, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Told({ what: "serve does not answer", why: "it has ended, or is busy", remedy: "start it again" });
  }
  if (!answer.ok) throw new Told((await answer.json().catch(() => ({}))).error ?? { what: `serve answered ${answer.status}` });
  return answer;
}

const json = async (path, options) => (await ask(path, options)).json();
const post = (path, body) =>
  json(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

export const functions = (cvat) => json(`functions?cvat=${cvat}`);
export const upload = (file) =>
  json(`pictures?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
export const call = (name, frames, options) =>
  post("calls", { function: name, frames: frames.map((frame) => frame.id), options });
export const step = (id) => post(`calls/${id}/step`);
export const saved = async (id, what) => (await ask(`calls/${id}/${what}`)).blob();
export const picture = async (id) => (await ask(`pictures/${id}`)).blob();
