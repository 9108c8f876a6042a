// One trace: the waterfall of its spans, what is known of the chosen one, and the trace's log lines.

import { badge, el, milliseconds, pairs, svg, table, when } from "/page/dom.js";

export function traceView(trace) {
  const detail = el("section", { class: "detail", "aria-live": "polite" });
  const start = Math.min(...trace.spans.map((s) => s.start_ns));
  const end = Math.max(...trace.spans.map((s) => s.start_ns + s.duration_ns));
  const rows = nested(trace.spans).map(([span, depth, orphan]) => row(span, depth, orphan, start, Math.max(1, end - start), (chosen) => choose(detail, chosen)));
  if (trace.spans.length) choose(detail, trace.spans[0]);
  const errors = trace.spans.filter((s) => s.error).length;
  return [
    el("h1", {}, "Trace ", el("code", {}, trace.trace_id)),
    el("p", { class: "note" }, `${trace.spans.length} spans, ${errors} with an error, ${milliseconds(trace.spans.length ? end - start : 0)}`),
    el("div", { class: "waterfall", role: "tree" }, rows),
    detail,
    el("h2", {}, "Log lines of this trace"),
    logTable(trace.logs, start / 1e6),
  ];
}

export function logTable(logs, since) {
  const time = (log) => (since ? `+${(log.timestamp_ms - since).toFixed(0)} ms` : when(log.timestamp_ms));
  return table(
    [["Time"], ["Status"], ["Service"], ["Message", "message"], ["Trace"]],
    logs.map((log) => [
      time(log),
      badge(log.status),
      log.service,
      el("details", {}, el("summary", {}, log.message || "(empty)"), pairs(log.attributes)),
      log.trace_id ? el("a", { href: `#/traces/${encodeURIComponent(log.trace_id)}` }, log.trace_id.slice(0, 8)) : "",
    ]),
    "No log lines.",
  );
}

function nested(spans) {
  const known = new Set(spans.map((s) => s.span_id));
  const children = Map.groupBy ? Map.groupBy(spans, (s) => s.parent_id) : grouped(spans);
  const found = [];
  const seen = new Set();
  const visit = (span, depth, orphan) => {
    if (seen.has(span.span_id)) return;
    seen.add(span.span_id);
    found.push([span, depth, orphan]);
    for (const child of children.get(span.span_id) ?? []) visit(child, depth + 1, false);
  };
  for (const span of spans) if (!span.parent_id || !known.has(span.parent_id)) visit(span, 0, Boolean(span.parent_id));
  // Spans that name each other as parents have no top; they are shown all the same.
  for (const span of spans) visit(span, 0, true);
  return found;
}

function grouped(spans) {
  const found = new Map();
  for (const span of spans) found.set(span.parent_id, [...(found.get(span.parent_id) ?? []), span]);
  return found;
}

function row(span, depth, orphan, start, length, onChoose) {
  const left = ((span.start_ns - start) / length) * 100;
  const width = Math.max(0.4, (span.duration_ns / length) * 100);
  const bar = svg("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { x: Math.min(left, 99.6), y: 1, width: Math.min(width, 100.4 - left), height: 8, class: span.error ? "error" : `kind-${span.kind}` }));
  const name = el("span", { class: "name" }, span.resource, orphan ? el("span", { class: "note" }, " (its parent did not arrive)") : null);
  name.style.paddingLeft = `${Math.min(depth, 20) * 1.1}rem`;
  return el("button", { type: "button", role: "treeitem", "aria-level": depth + 1, class: span.error ? "error" : null, onclick: () => onChoose(span) },
    name, el("span", { class: "service" }, span.service), bar, el("span", { class: "num" }, milliseconds(span.duration_ns)));
}

function choose(detail, span) {
  detail.replaceChildren(
    el("h2", {}, span.name, " ", span.error ? badge("error") : null),
    span.status_message ? el("p", { class: "error" }, span.status_message) : "",
    pairs({ service: span.service, env: span.env, version: span.version, operation: span.operation, resource: span.resource, type: span.type, kind: span.kind, span_id: span.span_id, parent_id: span.parent_id || "(none)" }),
    el("h3", {}, "Attributes"), pairs(span.attributes),
    el("h3", {}, "Resource"), pairs(span.resource_attributes),
    span.events.length ? el("h3", {}, "Events") : "",
    ...span.events.map((event) => el("details", {}, el("summary", {}, `${event.name} at +${milliseconds(event.time_ns - span.start_ns)}`), pairs(event.attributes))),
    span.links.length ? el("h3", {}, "Links") : "",
    ...span.links.map((to) => el("p", {}, el("a", { href: `#/traces/${encodeURIComponent(to.trace_id)}` }, to.trace_id))),
  );
}
