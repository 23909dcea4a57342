/**
 * What the page at `/` does: it asks for the topologies once and again when they change, and for what moves once a second. Plain text for a browser; it
 * writes text by `textContent` alone, as names come from elsewhere.
 */
export const SCRIPT = `
const $ = (id) => document.getElementById(id);
const base = location.pathname.replace(/\\/$/, "");
const get = (name) => fetch(base + "/api/v1/" + name).then((r) => { if (!r.ok) throw new Error(name + " " + r.status); return r.json(); });
const el = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined && text !== null) e.textContent = text; if (cls) e.className = cls; return e; };
const svg = (tag, attributes, text) => { const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]); if (text !== undefined) e.textContent = text; return e; };
const number = (n, digits) => n === undefined || n === null ? "" : Number(n).toLocaleString("en", { maximumFractionDigits: digits ?? 0 });
const bytes = (n) => { if (n === undefined || n === null) return ""; let i = 0; while (n >= 1024 && i < 4) { n /= 1024; i++; } return number(n, 1) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][i]; };
const short = (text, length) => text.length > length ? text.slice(0, length - 1) + "…" : text;
const sum = (list, pick) => list.reduce((all, each) => all + (pick(each) ?? 0), 0);
const HISTORY = 60, WINDOW = 5;

/** Samples of a running total: its growth per second over the last few. */
class Rate {
  points = [];
  add(at, total) { const last = this.points[this.points.length - 1];
    if (last && total < last.total) this.points = [];
    this.points.push({ at, total }); if (this.points.length > WINDOW) this.points.shift(); }
  get perSecond() { const a = this.points[0], b = this.points[this.points.length - 1]; return !a || a === b ? 0 : (b.total - a.total) * 1000 / (b.at - a.at); }
}
const views = new Map();
const viewOf = (id) => { let view = views.get(id); if (!view) {
  const root = el("section"); root.dataset.application = id; root.innerHTML = $("application").innerHTML; $("applications").append(root);
  view = { id, root, part: (name) => root.querySelector("[data-part=" + name + "]"), drawn: "", nodes: new Map(), topics: new Map(), edges: [], rates: new Map(), lags: [], flows: [], chosen: undefined };
  views.set(id, view); } return view; };
const rateOf = (view, key) => { let rate = view.rates.get(key); if (!rate) view.rates.set(key, rate = new Rate()); return rate; };

function table(target, columns, rows) {
  if (rows.length === 0) { target.replaceChildren(el("p", "none", "soft")); return; }
  const t = el("table"), head = el("tr");
  for (const [name, , n] of columns) head.append(el("th", name, n ? "n" : ""));
  t.append(head);
  for (const row of rows) { const tr = el("tr"); for (const k in row.data ?? {}) tr.dataset[k] = row.data[k];
    for (const [, pick, n] of columns) { const v = pick(row); const td = el("td", undefined, n ? "n" : ""); if (v instanceof Node) td.append(v); else td.textContent = v ?? ""; tr.append(td); } t.append(tr); }
  target.replaceChildren(t);
}
const bar = (share, good) => { const b = el("span", undefined, "bar" + (good ? " good" : "")), i = el("i"); i.style.width = Math.max(0, Math.min(1, share)) * 100 + "%"; b.append(i); return b; };
function sparkline(values) {
  const s = svg("svg", { width: 120, height: 22 }), top = Math.max(1, ...values);
  s.append(svg("polyline", { points: values.map((v, i) => (i * 120 / (HISTORY - 1)).toFixed(1) + "," + (20 - 18 * v / top).toFixed(1)).join(" ") })); return s; }

/** Nodes in columns by their longest way from a source, in each column near what they come from. */
function layersOf(nodes) {
  const byName = new Map(nodes.map((n) => [n.name, n])), depth = new Map();
  const visit = (n, seen) => { if (depth.has(n.name)) return depth.get(n.name); if (seen.has(n.name)) return 0; seen.add(n.name);
    let d = 0; for (const p of n.predecessors) if (byName.has(p)) d = Math.max(d, visit(byName.get(p), seen) + 1); depth.set(n.name, d); return d; };
  const layers = []; for (const n of nodes) (layers[visit(n, new Set())] ??= []).push(n);
  const place = new Map();
  for (const layer of layers.filter(Boolean)) {
    const wish = (n) => { const from = n.predecessors.filter((p) => place.has(p)); return from.length ? sum(from, (p) => place.get(p)) / from.length : Infinity; };
    layer.map((n, i) => [n, wish(n), i]).sort((a, b) => a[1] - b[1] || a[2] - b[2]).forEach(([n], i) => { layer[i] = n; place.set(n.name, i); }); }
  return layers.filter(Boolean);
}
function draw(view, topology) {
  const W = 236, H = 58, X = 46, Y = 20, T = 210, out = svg("svg", {}); let top = 4, width = 0;
  view.nodes.clear(); view.topics.clear(); view.edges = [];
  const edge = (a, b, from) => { const m = (a[0] + b[0]) / 2, path = svg("path", { d: "M" + a + " C" + m + "," + a[1] + " " + m + "," + b[1] + " " + b }); view.edges.push({ path, from }); out.append(path); };
  for (const { id, nodes } of [...topology.subtopologies, ...topology.globalStores]) {
    const layers = layersOf(nodes), height = Math.max(...layers.map((l) => l.length)) * (H + Y), right = T + X + layers.length * (W + X);
    out.append(svg("rect", { class: "box", x: 2, y: top, width: right + T - 2, height: height + 30, rx: 8 }), svg("text", { x: 12, y: top + 18, class: "sub" }, "Sub-topology " + id));
    const y0 = top + 30, at = new Map(), drawTopic = (name, x, y, role) => { const g = svg("g", { class: "topic", "data-topic": name, "data-role": role });
      g.append(svg("rect", { x, y, width: T - 24, height: 34, rx: 17 }), svg("text", { x: x + 12, y: y + 15 }, short(name, 25)), svg("text", { x: x + 12, y: y + 28, class: "figures" }), svg("title", {}, name));
      out.append(g); (view.topics.get(name) ?? view.topics.set(name, []).get(name)).push(g); };
    layers.forEach((layer, i) => layer.forEach((n, j) => at.set(n.name, [T + X + i * (W + X), y0 + j * (H + Y)])));
    for (const n of nodes) { const [x, y] = at.get(n.name), topics = n.topicPattern ? [n.topicPattern] : n.topics ?? [];
      for (const s of n.successors) if (at.has(s)) edge([x + W, y + H / 2], [at.get(s)[0], at.get(s)[1] + H / 2], s);
      topics.forEach((name, k) => { const ty = y + (H - 34) / 2 + k * 38;
        if (n.type === "SOURCE") { drawTopic(name, 12, ty, "source"); edge([12 + T - 24, ty + 17], [x, y + H / 2], n.name); }
        else { drawTopic(name, x + W + X, ty, "sink"); edge([x + W, y + H / 2], [x + W + X, ty + 17], n.name); } }); }
    for (const n of nodes) { const [x, y] = at.get(n.name), g = svg("g", { class: "node " + n.type.toLowerCase() + (n.stores ? " stateful" : ""), "data-node": n.name });
      g.append(svg("rect", { x, y, width: W, height: H, rx: 6 }), svg("text", { x: x + 9, y: y + 17 }, short(n.name, 33)), svg("text", { x: x + 9, y: y + 33, class: "figures" }),
        svg("text", { x: x + 9, y: y + 49, class: "figures stores" }, short(n.stores ? "⛁ " + n.stores.join(", ") : n.type.toLowerCase(), 33)), svg("title", {}, n.name));
      g.addEventListener("click", () => { view.chosen = view.chosen === n ? undefined : n; if (view.live) show(view, view.live, performance.now()); });
      out.append(g); view.nodes.set(n.name, { node: n, g, figures: g.querySelector(".figures") }); }
    top += height + 44; width = Math.max(width, right + T + 4);
  }
  out.setAttribute("width", width); out.setAttribute("height", top); view.part("topology").replaceChildren(out);
}

function show(view, live, now) {
  view.live = live;
  const { state, threads, lag, stores, restore, errors, nodes } = live;
  view.part("state").replaceChildren(el("span", view.id + " "), el("span", state.paused ? "PAUSED" : state.state, "state " + state.state));
  const lags = sum(lag, (l) => l.records), tasks = threads.flatMap((t) => t.tasks.map((k) => ({ thread: t.name, ...k })));
  for (const name in nodes) rateOf(view, "node " + name).add(now, nodes[name]);
  let flow = 0;
  for (const [name, { node, g, figures }] of view.nodes) { const rate = rateOf(view, "node " + name).perSecond; if (node.type === "SOURCE") flow += rate;
    figures.textContent = number(rate, 1) + "/s · " + number(nodes[name] ?? 0); g.dataset.rate = rate.toFixed(1); g.dataset.processed = nodes[name] ?? 0; g.classList.toggle("chosen", view.chosen?.name === name); }
  for (const { path, from } of view.edges) path.classList.toggle("live", rateOf(view, "node " + from).perSecond > 0);
  for (const [topic, drawn] of view.topics) { const behind = lag.filter((l) => l.topic === topic || l.topic === view.id + "-" + topic), records = sum(behind, (l) => l.records);
    for (const g of drawn) { const isSource = g.dataset.role === "source" && behind.length > 0; if (isSource) g.dataset.lag = records;
      g.classList.toggle("behind", isSource && records > 0); g.querySelector(".figures").textContent = isSource ? "lag " + number(records) : ""; } }
  view.lags.push(lags); view.flows.push(flow); for (const list of [view.lags, view.flows]) if (list.length > HISTORY) list.shift();
  const figure = (name, value, line) => { const f = el("div", name, "figure"); f.dataset.figure = name; f.append(el("b", value)); if (line) f.append(sparkline(line)); return f; };
  view.part("figures").replaceChildren(figure("records/s", number(flow, flow < 10 ? 1 : 0), view.flows), figure("lag", number(lags), view.lags),
    figure("threads", threads.filter((t) => t.state === "RUNNING").length + " of " + threads.length), figure("tasks", String(tasks.length)),
    figure("state", bytes(sum(stores, (s) => s.sizeBytes))), figure("restoring", number(sum(restore, (r) => r.remaining))), figure("errors", String(errors.length)));
  view.part("threads").replaceChildren(...threads.map((t) => { const c = el("div", undefined, "card"); c.dataset.thread = t.name; c.dataset.state = t.state;
    c.append(el("span", t.state, "state " + t.state), el("div", t.name.replace(/^.*-(StreamThread-\\d+)$/, "$1")), el("small", t.tasks.length + " tasks, " + number(sum(t.tasks, (k) => k.buffered)) + " buffered")); return c; }));
  const most = Math.max(1, ...lag.map((l) => l.records ?? 0));
  table(view.part("lag"), [["topic", (l) => l.topic], ["partition", (l) => l.partition, 1], ["records", (l) => number(l.records), 1], ["", (l) => bar((l.records ?? 0) / most)], ["seconds", (l) => number(l.seconds, 1), 1], ["committed", (l) => number(l.committedOffset), 1]],
    lag.toSorted((a, b) => a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition).map((l) => ({ ...l, data: { lag: l.records ?? "", partition: l.topic + "-" + l.partition } })));
  table(view.part("restore"), [["store", (r) => r.store], ["task", (r) => r.taskId], ["restored", (r) => number(r.restored), 1], ["remaining", (r) => number(r.remaining), 1],
    ["progress", (r) => bar(r.restored / Math.max(1, r.restored + r.remaining), true)]], restore.map((r) => ({ ...r, data: { restore: r.store } })));
  table(view.part("tasks"), [["task", (t) => t.taskId], ["thread", (t) => t.thread.replace(/^.*-(StreamThread-\\d+)$/, "$1")], ["role", (t) => t.role], ["state", (t) => t.state], ["partitions", (t) => t.partitions.join(", ")], ["buffered", (t) => number(t.buffered), 1]],
    tasks.map((t) => ({ ...t, data: { task: t.taskId } })));
  const byStore = new Map(); for (const s of stores) { const all = byStore.get(s.name) ?? { name: s.name, type: s.type, tasks: 0, entries: undefined, sizeBytes: undefined }; all.tasks++;
    for (const k of ["entries", "sizeBytes"]) if (s[k] !== undefined) all[k] = (all[k] ?? 0) + s[k]; byStore.set(s.name, all); }
  table(view.part("stores"), [["store", (s) => s.name], ["type", (s) => s.type], ["tasks", (s) => s.tasks, 1], ["entries", (s) => number(s.entries), 1], ["size", (s) => bytes(s.sizeBytes), 1]], [...byStore.values()]);
  table(view.part("errors"), [["when", (e) => new Date(e.atMs).toISOString()], ["thread", (e) => e.thread], ["task", (e) => e.taskId], ["error", (e) => e.name + ": " + e.message]], errors);
  detail(view, nodes, byStore);
}
function detail(view, nodes, byStore) {
  const n = view.chosen, target = view.part("detail"); if (!n) { target.replaceChildren(); return; }
  const rows = [["type", n.type.toLowerCase()], ["records", number(nodes[n.name] ?? 0) + ", " + number(rateOf(view, "node " + n.name).perSecond, 1) + " per second"]];
  if (n.topics) rows.push(["topics", n.topics.join(", ")]); if (n.predecessors.length) rows.push(["from", n.predecessors.join(", ")]); if (n.successors.length) rows.push(["to", n.successors.join(", ")]);
  for (const s of n.stores ?? []) { const t = byStore.get(s); rows.push(["store " + s, t ? [t.entries === undefined ? "" : number(t.entries) + " entries", bytes(t.sizeBytes)].filter(Boolean).join(", ") : "none open"]); }
  const box = el("div"); target.replaceChildren(el("h3", n.name), box); table(box, [["", (r) => r[0]], ["", (r) => r[1]]], rows);
}

for (const a of document.querySelectorAll("nav a")) a.href = base + a.getAttribute("href");
let topologies, asked = -Infinity;
async function refresh() {
  if (!document.hidden) try {
    const now = performance.now();
    if (now - asked > 30000) { const [info, all] = await Promise.all(["info", "topology"].map(get)); topologies = all; asked = now; $("about").textContent = "Weir " + info.version + " on " + info.runtime; }
    const live = await get("live");
    for (const [id, each] of Object.entries(live)) { const view = viewOf(id), text = JSON.stringify(topologies[id]);
      if (topologies[id] && text !== view.drawn) { view.drawn = text; draw(view, topologies[id]); }
      show(view, each, now); }
    $("lost").replaceChildren();
  } catch (error) { $("lost").replaceChildren(el("span", "no answer: " + error.message, "state lost")); asked = -Infinity; }
  setTimeout(refresh, 1000);
}
refresh();
`;
