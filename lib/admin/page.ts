/**
 * The page at `/`: the topology with what flows through it, threads, tasks, lag, restores, stores and errors, live. One text without anything from
 * elsewhere, so that it works in the binary and on closed networks.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { SCRIPT } from "./page_script.ts";
import { STYLE } from "./page_style.ts";

/** The page's own script and style run, and nothing else, wherever it came from. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src ${hashOf(STYLE)}`,
  `script-src ${hashOf(SCRIPT)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The parts of an application; the script fills them. */
const APPLICATION = `<h2 data-part="state"></h2><div data-part="figures" class="figures"></div>
<h3>Topology</h3><div data-part="topology" class="scroll"></div><div data-part="detail"></div>
<h3>Threads</h3><div data-part="threads" class="cards"></div>
<h3>Lag</h3><div data-part="lag"></div><h3>Restores</h3><div data-part="restore"></div>
<h3>Tasks</h3><div data-part="tasks"></div><h3>Stores</h3><div data-part="stores"></div>
<h3>Errors</h3><div data-part="errors"></div>`;

/** The page's HTML. */
export const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weir</title><style>${STYLE}</style></head>
<body><header><h1>Weir</h1><small id="about"></small><span id="lost"></span>
<nav><small><a href="/metrics">metrics</a> · <a href="/topology">topology</a> · <a href="/topology?format=mermaid">mermaid</a> · <a href="/config">config</a> · <a href="/healthz?verbose">health</a> · <a href="/readyz?verbose">ready</a></small></nav></header>
<main id="applications"></main><template id="application">${APPLICATION}</template>
<script>${SCRIPT}</script></body></html>
`;
