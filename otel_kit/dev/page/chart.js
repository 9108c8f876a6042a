// A line chart of a few series, as SVG.

import { el, number, svg } from "/page/dom.js";

const WIDTH = 720;
const HEIGHT = 160;
const LEFT = 60;
const BOTTOM = 20;
const SHOWN = 8;

export function chart(series) {
  const shown = series.filter((s) => s.points.length > 0).slice(0, SHOWN);
  const points = shown.flatMap((s) => s.points);
  if (points.length === 0) return el("p", { class: "empty" }, "No points yet.");
  const times = points.map((p) => p[0]);
  const values = points.map((p) => p[1]);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + 1e-9);
  const x = (second) => LEFT + ((second - first) / Math.max(1, last - first)) * (WIDTH - LEFT - 10);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - BOTTOM - 10);
  const label = (text, at, anchor = "end", line = LEFT - 6) =>
    svg("text", { x: line, y: at, "text-anchor": anchor, class: "axis" }, text);
  const picture = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": `${shown.length} series, up to ${number(high)}` },
    svg("line", { x1: LEFT, x2: WIDTH - 10, y1: y(low), y2: y(low), class: "axis" }),
    label(number(high), y(high) + 4),
    label(number(low), y(low) + 4),
    label(clock(first), HEIGHT - 4, "start", LEFT),
    label(clock(last), HEIGHT - 4, "end", WIDTH - 10),
    ...shown.flatMap((s, i) => line(s.points, x, y, `line${i}`)),
  );
  const legend = shown.map((s, i) => el("li", { class: `line${i}` }, s.name || "*"));
  const more = series.length > shown.length ? el("p", { class: "note" }, `${series.length - shown.length} more series are not drawn.`) : null;
  return el("figure", {}, picture, el("ul", { class: "legend" }, legend), more);
}

function line(points, x, y, name) {
  const path = points.map(([second, value], i) => `${i ? "L" : "M"}${x(second).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const dots = points.length > 60 ? [] : points.map(([second, value]) => svg("circle", { cx: x(second), cy: y(value), r: 2.5, class: name }));
  return [svg("path", { d: path, class: name, fill: "none" }), ...dots];
}

function clock(second) {
  return new Date(second * 1000).toLocaleTimeString([], { hour12: false });
}
