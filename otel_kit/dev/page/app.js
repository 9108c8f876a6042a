// The page: a view by the address after #, asked again every two seconds while it is looked at.

import { el, link } from "/page/dom.js";
import { views } from "/page/views.js";

const EVERY_MS = 2000;
const view = document.getElementById("view");
const status = document.getElementById("status");
let shown = { address: "", answer: "" };
let turn = 0;

document.getElementById("nav").append(...Object.entries(views).map(([name, { title }]) => link(`#/${name}`, title)));
window.addEventListener("hashchange", () => refresh());
setInterval(() => { if (!document.hidden) refresh(); }, EVERY_MS);
refresh();

function address() {
  const [path, search = ""] = location.hash.replace(/^#\//, "").split("?");
  const [name, ...rest] = path.split("/");
  return { name: Object.hasOwn(views, name) ? name : "services", path: decode(rest.join("/")), parameters: new URLSearchParams(search) };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

async function ask(url) {
  const answer = await fetch(url);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.errors?.join("; ") ?? `status ${answer.status}`);
  return body;
}

async function refresh() {
  const own = ++turn;
  const { name, path, parameters } = address();
  try {
    const found = await views[name].load(ask, path, parameters);
    if (own !== turn) return;
    status.textContent = "";
    draw(name, path, parameters, found);
  } catch (error) {
    if (own !== turn) return;
    // fetch itself fails with a TypeError when nobody answers.
    if (error instanceof TypeError) status.textContent = "otel-kit dev does not answer";
    else view.replaceChildren(el("p", { class: "empty" }, error.message));
    shown = { address: "", answer: "" };
  }
}

function draw(name, path, parameters, found) {
  const answer = JSON.stringify(found);
  const same = shown.address === location.hash;
  // What is open, chosen or being typed stays as it is while nothing has changed.
  if (same && (shown.answer === answer || view.querySelector("details[open], input:focus"))) return;
  for (const item of document.querySelectorAll("nav a")) item.toggleAttribute("aria-current", item.hash === `#/${name}`);
  view.replaceChildren(...views[name].show(found, path, parameters));
  document.title = `${views[name].title} – otel-kit dev`;
  if (!same && shown.address) view.focus({ preventScroll: true });
  shown = { address: location.hash, answer };
}
