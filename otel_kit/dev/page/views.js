// What each view asks the read API, and what it makes of the answer.

import { chart } from "/page/chart.js";
import { badge, el, link, milliseconds, number, table, when } from "/page/dom.js";
import { logTable, traceView } from "/page/trace.js";

// The chart of a metric shows the last hour.
const SHOWN_S = 3600;

const query = (parameters) => new URLSearchParams(Object.entries(parameters).filter(([, value]) => value)).toString();

export const views = {
  services: {
    title: "Services",
    load: (ask) => ask("/dev/api/services"),
    show: (services) => [
      el("h1", {}, "Services"),
      table(
        [["Service"], ["Environment"], ["Version"], ["Spans", "num"], ["Errors", "num"], ["Log lines", "num"], ["Last seen"]],
        services.map((s) => [link(`#/traces?${query({ service: s.service })}`, s.service), s.env || "–", s.version || "–", number(s.spans), number(s.errors), number(s.logs), when(s.last_seen_ms)]),
        "Nothing has arrived yet. The lines that otel-kit dev printed at its start say what to set.",
      ),
    ],
  },
  traces: {
    title: "Traces",
    load: (ask, path, parameters) =>
      path ? ask(`/dev/api/traces/${encodeURIComponent(path)}`) : ask(`/dev/api/traces?${query({ service: parameters.get("service"), error: parameters.get("error"), limit: 100 })}`),
    show: (found, path, parameters) => (path ? traceView(found) : traceList(found, parameters)),
  },
  logs: {
    title: "Logs",
    load: (ask, _path, parameters) => ask(`/dev/api/logs?${query({ search: parameters.get("search"), service: parameters.get("service"), limit: 200 })}`),
    show: (logs, _path, parameters) => [el("h1", {}, "Logs"), filters("logs", parameters, ["search", "service"]), logTable(logs)],
  },
  metrics: {
    title: "Metrics",
    load: async (ask, path) => (path ? ask(`/dev/api/series?${query({ metric: path, since: Math.floor(Date.now() / 1000) - SHOWN_S })}`) : ask("/dev/api/metrics")),
    show: (found, path) => (path ? metric(path, found) : metricList(found)),
  },
  monitors: {
    title: "Monitors",
    load: async (ask) => ({ monitors: await ask("/dev/api/monitors"), told: await ask("/dev/api/notifications") }),
    show: ({ monitors, told }) => [el("h1", {}, "Monitors"), ...monitorList(monitors), el("h2", {}, "Notifications"), ...notifications(told)],
  },
  losses: {
    title: "Losses",
    load: (ask) => ask("/dev/api/losses"),
    show: (losses) => [
      el("h1", {}, "Losses"),
      el("p", { class: "note" }, "Everything that arrived and is not kept: refused, overwritten by a point of the same series and second, cut, or evicted."),
      table([["Signal"], ["Reason", "message"], ["Count", "num"]], losses.map((x) => [x.signal, x.reason, number(x.count)]), "Nothing was lost."),
    ],
  },
};

function traceList(traces, parameters) {
  return [
    el("h1", {}, "Traces"),
    filters("traces", parameters, ["service"], ["error", "with errors only"]),
    table(
      [["Start"], ["Root service"], ["Resource", "message"], ["Duration", "num"], ["Spans", "num"], ["Errors", "num"]],
      traces.map((t) => [link(`#/traces/${encodeURIComponent(t.trace_id)}`, when(t.start_ns / 1e6)), t.service, t.resource, milliseconds(t.duration_ns), number(t.spans), t.errors ? badge(`${t.errors} error${t.errors > 1 ? "s" : ""}`) : "0"]),
      "No traces.",
    ),
  ];
}

function filters(view, parameters, texts, flag) {
  const form = el("form", { class: "filters", onsubmit: (event) => { event.preventDefault(); apply(); } },
    texts.map((name) => el("label", {}, name, el("input", { name, value: parameters.get(name) ?? "", autocomplete: "off" }))),
    flag ? el("label", { class: "flag" }, el("input", { type: "checkbox", name: flag[0], value: "1", checked: parameters.get(flag[0]) === "1", onchange: () => apply() }), flag[1]) : null,
    el("button", { type: "submit" }, "Filter"));
  const apply = () => { location.hash = `#/${view}?${query(Object.fromEntries(new FormData(form)))}`; };
  return form;
}

function metricList(metrics) {
  return [
    el("h1", {}, "Metrics"),
    table(
      [["Name", "message"], ["Type"], ["Series", "num"], ["Points", "num"], ["Last seen"]],
      metrics.map((m) => [link(`#/metrics/${encodeURIComponent(m.name)}`, m.name), m.type, number(m.series), number(m.points), when(m.last_seen_ms)]),
      "No metrics.",
    ),
  ];
}

function metric(name, series) {
  const value = (point) => (typeof point === "object" ? point.sum / point.count : point);
  const common = series.map((s) => new Set(s.tags)).reduce((all, tags) => new Set([...all].filter((t) => tags.has(t))), new Set(series[0]?.tags));
  const lines = series.map((s) => ({ name: s.tags.filter((t) => series.length === 1 || !common.has(t)).join(" "), points: s.points.map(([second, point]) => [second, value(point)]) }));
  const distribution = series.some((s) => s.points.some(([, point]) => typeof point === "object"));
  const total = (s) => (distribution ? s.points.reduce((n, [, p]) => n + p.count, 0) : s.points.reduce((n, [, p]) => n + p, 0));
  return [
    el("h1", {}, el("code", {}, name)),
    el("p", { class: "note" }, distribution ? "A distribution: the chart shows the average of each point of the last hour." : "The chart shows each point of the last hour."),
    chart(lines),
    table(
      [["Tags", "message"], ["Points", "num"], [distribution ? "Values" : "Sum", "num"], ["Last", "num"]],
      series.map((s) => [el("span", { class: "tags" }, s.tags.map((t) => el("code", {}, t))), number(s.points.length), number(total(s)), number(s.points.length ? value(s.points.at(-1)[1]) : null)]),
      "No series.",
    ),
  ];
}

function monitorList(monitors) {
  if (monitors.length === 0) return [el("p", { class: "empty" }, "No monitors. `otel-kit apply` brings those of monitors/.")];
  return monitors.map((m) =>
    el("article", { class: "monitor" },
      el("h2", {}, badge(m.overall_state), " ", m.name),
      el("p", {}, el("code", {}, m.query)),
      m.error ? el("p", { class: "error" }, `Not evaluated: ${m.error}`) : null,
      m.groups.length ? table([["Group", "message"], ["State"], ["Value", "num"], ["Since"]], m.groups.map((g) => [g.group, badge(g.state), number(g.value), when(g.since_ms)]), "") : el("p", { class: "note" }, "No group has data yet."),
      m.group_count > m.groups.length ? el("p", { class: "note" }, `${m.group_count - m.groups.length} more groups, none of them in a worse state.`) : null,
    ));
}

function notifications(told) {
  if (told.length === 0) return [el("p", { class: "empty" }, "None yet.")];
  return told.map((n) =>
    el("article", { class: "notification" },
      el("p", {}, when(n.at_ms), " ", badge(n.from), " → ", badge(n.to), " ", el("strong", {}, n.monitor_name), " ", el("span", { class: "note" }, n.group)),
      el("pre", {}, n.message || "(no message)"),
      el("p", { class: "note" }, n.recipients.length ? `to ${n.recipients.join(", ")}` : "to nobody"),
    ));
}
