/**
 * The page at `/`: topology, threads, lag, restores and errors, live. One text without anything from elsewhere, so that it works
 * in the binary and on closed networks.
 *
 * @module
 */

/** Scripts and styles only from the page itself. */
export const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #2a9d4a; --bad: #d33; --busy: #c80 }
body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1200px; padding: 1rem 1.5rem }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap }
.state { border-radius: 1em; padding: .1em .8em; color: #fff; background: var(--busy) }
.state.RUNNING { background: var(--good) } .state.ERROR, .state.PENDING_ERROR, .state.lost { background: var(--bad) }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25em .8em .25em 0; border-bottom: 1px solid var(--line) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.scroll { overflow-x: auto; background: var(--soft); border-radius: 6px; padding: .5rem }
svg text { font: 11px ui-monospace, monospace; fill: currentColor } svg .sub { font-weight: 600 }
svg rect { fill: var(--soft); stroke: var(--line) } svg .source rect, svg .sink rect { stroke: #48f } svg .stateful rect { stroke: var(--busy) }
svg path { fill: none; stroke: #8889 } .none { opacity: .6 }
a { color: inherit }
`;

const SCRIPT = `
const $ = (id) => document.getElementById(id);
const base = location.pathname.replace(/\\/$/, "");
const get = (name) => fetch(base + "/api/v1/" + name).then((r) => { if (!r.ok) throw new Error(name + " " + r.status); return r.json(); });
const el = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
const svg = (tag, attributes, text) => { const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const k in attributes) e.setAttribute(k, attributes[k]); if (text !== undefined) e.textContent = text; return e; };
const number = (n) => n === undefined || n === null ? "" : Number(n).toLocaleString("en", { maximumFractionDigits: 1 });

function table(target, columns, rows) {
  if (rows.length === 0) { target.replaceChildren(el("p", "none", "none")); return; }
  const t = el("table"), head = el("tr");
  for (const [name, , n] of columns) head.append(el("th", name, n ? "n" : ""));
  t.append(head);
  for (const row of rows) { const tr = el("tr"); for (const [, pick, n] of columns) { const v = pick(row); tr.append(el("td", n ? number(v) : v ?? "", n ? "n" : "")); } t.append(tr); }
  target.replaceChildren(t);
}
const flat = (byApplication) => Object.values(byApplication).flat();

function layersOf(nodes) {
  const byName = new Map(nodes.map((n) => [n.name, n])), depth = new Map();
  const visit = (n, seen) => { if (depth.has(n.name)) return depth.get(n.name); if (seen.has(n.name)) return 0; seen.add(n.name);
    let d = 0; for (const p of n.predecessors) if (byName.has(p)) d = Math.max(d, visit(byName.get(p), seen) + 1); depth.set(n.name, d); return d; };
  const layers = []; for (const n of nodes) (layers[visit(n, new Set())] ??= []).push(n); return layers.filter(Boolean);
}
function draw(target, topology) {
  const W = 250, H = 50, X = 40, Y = 26, out = svg("svg", {}); let top = 0, width = 0;
  for (const { id, nodes } of [...topology.subtopologies, ...topology.globalStores]) {
    out.append(svg("text", { x: 0, y: top + 14, class: "sub" }, "Sub-topology " + id)); top += 22;
    const at = new Map(), layers = layersOf(nodes), height = Math.max(...layers.map((l) => l.length));
    layers.forEach((layer, i) => layer.forEach((n, j) => at.set(n.name, [i * (W + X), top + j * (H + Y)])));
    for (const n of nodes) for (const s of n.successors) { const a = at.get(n.name), b = at.get(s); if (!a || !b) continue;
      const x1 = a[0] + W, y1 = a[1] + H / 2, x2 = b[0], y2 = b[1] + H / 2, m = (x1 + x2) / 2;
      out.append(svg("path", { d: "M" + x1 + "," + y1 + " C" + m + "," + y1 + " " + m + "," + y2 + " " + x2 + "," + y2 })); }
    for (const n of nodes) { const [x, y] = at.get(n.name), g = svg("g", { class: n.type.toLowerCase() + (n.stores ? " stateful" : "") });
      g.append(svg("rect", { x, y, width: W, height: H, rx: 5 }), svg("text", { x: x + 8, y: y + 20 }, n.name.length > 36 ? n.name.slice(0, 35) + "…" : n.name));
      const under = n.topicPattern ?? (n.topics ?? n.stores ?? []).join(", ");
      g.append(svg("text", { x: x + 8, y: y + 38, opacity: .65 }, under.length > 36 ? under.slice(0, 35) + "…" : under), svg("title", {}, n.name + (under ? "\\n" + under : "")));
      out.append(g); }
    top += height * (H + Y); width = Math.max(width, layers.length * (W + X));
  }
  out.setAttribute("width", width); out.setAttribute("height", top); target.append(out);
}
for (const a of document.querySelectorAll("a")) a.href = base + a.getAttribute("href");
let drawn = "";
async function refresh() {
  try {
    const [info, state, threads, tasks, lag, restore, errors, topology] = await Promise.all(["info", "state", "threads", "tasks", "lag", "restore", "errors", "topology"].map(get));
    $("states").replaceChildren(...Object.entries(state).map(([id, s]) => { const p = el("span", id + " "); p.append(el("span", s.paused ? "PAUSED" : s.state, "state " + s.state)); return p; }));
    $("about").textContent = "Weir " + info.version + " on " + info.runtime;
    table($("threads"), [["thread", (t) => t.name], ["state", (t) => t.state], ["tasks", (t) => t.tasks, 1]], flat(threads));
    table($("tasks"), [["task", (t) => t.taskId], ["role", (t) => t.role], ["state", (t) => t.state], ["partitions", (t) => t.partitions.join(", ")], ["buffered", (t) => t.buffered, 1]], flat(tasks));
    table($("lag"), [["topic", (l) => l.topic], ["partition", (l) => l.partition, 1], ["records", (l) => l.records, 1], ["seconds", (l) => l.seconds, 1]], flat(lag));
    table($("restore"), [["store", (r) => r.store], ["task", (r) => r.taskId], ["restored", (r) => r.restored, 1], ["remaining", (r) => r.remaining, 1]], flat(restore));
    table($("errors"), [["when", (e) => new Date(e.atMs).toISOString()], ["thread", (e) => e.thread], ["task", (e) => e.taskId], ["error", (e) => e.name + ": " + e.message]], flat(errors));
    const text = JSON.stringify(topology);
    if (text !== drawn) { drawn = text; $("topology").replaceChildren(); for (const t of Object.values(topology)) draw($("topology"), t); }
  } catch (error) { $("states").replaceChildren(el("span", "no answer: " + error.message, "state lost")); }
  setTimeout(refresh, 2000);
}
refresh();
`;

/** The page's HTML. */
export const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weir</title><style>${STYLE}</style></head>
<body><header><h1>Weir</h1><span id="states"></span><small id="about"></small>
<small><a href="/metrics">metrics</a> · <a href="/topology">topology</a> · <a href="/config">config</a> · <a href="/healthz?verbose">health</a></small></header>
<h2>Topology</h2><div id="topology" class="scroll"></div>
<h2>Threads</h2><div id="threads"></div><h2>Tasks</h2><div id="tasks"></div>
<h2>Lag</h2><div id="lag"></div><h2>Restores</h2><div id="restore"></div><h2>Errors</h2><div id="errors"></div>
<script>${SCRIPT}</script></body></html>
`;
