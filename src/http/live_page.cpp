// SPDX-License-Identifier: Apache-2.0
#include "http/live_page.h"

namespace affiche::http {

const char* const kLivePolicy =
    "default-src 'none'; img-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// Texts of templates, brands and errors reach the page as text nodes only.
const char* const kLivePage = R"HTML(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>affiche preview</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root { color-scheme: light dark; --paper: #f3f3ef; --bar: #fffffff2; --ink: #1b1d21; --soft: #62666e;
  --line: #00000021; --accent: #0a7d8c; --safe: #12a150; --box: #2585e8; --words: #e0246a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --paper: #14161a; --bar: #1b1e23f2; --ink: #eceef1; --soft: #9aa0aa;
  --line: #ffffff24; --accent: #4fc3d1; --safe: #35d07f; --box: #62b0ff; --words: #ff5c93; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 14px/1.45 system-ui, "Noto Sans", sans-serif; }
header { position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: center;
  padding: 12px 24px; background: var(--bar); backdrop-filter: blur(8px); border-bottom: 1px solid var(--line); }
h1 { font-size: 17px; line-height: 1.3; margin: 0; }
h1 small { font-size: 14px; font-weight: 400; color: var(--soft); }
fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 6px; }
label { display: inline-flex; gap: 6px; align-items: center; color: var(--soft); }
fieldset label { padding: 3px 11px 3px 9px; border: 1px solid var(--line); border-radius: 99px; cursor: pointer; }
fieldset label:has(:checked) { border-color: var(--mark); color: var(--ink); background: color-mix(in srgb, var(--mark) 14%, transparent); }
fieldset input { margin: 0; accent-color: var(--mark); }
select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: 3px 6px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
#link { margin-left: auto; color: var(--soft); }
#link::before { content: ""; display: inline-block; width: 8px; height: 8px; margin-right: 7px; border-radius: 50%; background: var(--soft); }
#link.live::before { background: var(--safe); }
#error { margin: 20px 24px 0; padding: 12px 16px; border-left: 4px solid var(--bad); background: color-mix(in srgb, var(--bad) 12%, transparent);
  font: 13px/1.5 ui-monospace, "Noto Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
main { padding: 0 24px 72px; }
h2 { font-size: 14px; margin: 26px 0 10px; }
.row { display: flex; flex-wrap: wrap; gap: 24px 18px; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
figcaption { font-size: 12px; color: var(--soft); padding-top: 6px; font-variant-numeric: tabular-nums; }
.card { position: relative; display: block; max-width: 100%; box-shadow: 0 0 0 1px var(--line), 0 6px 20px #0000001f;
  background: repeating-conic-gradient(#8883 0 25%, #8881 0 50%) 0 / 20px 20px; }
.card img, .card svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.card svg { pointer-events: none; overflow: visible; }
.card p { position: absolute; inset: 0; margin: 0; padding: 12px; overflow: auto; background: color-mix(in srgb, var(--bad) 12%, var(--paper));
  font: 12px/1.45 ui-monospace, "Noto Sans Mono", monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin-top: 6px; font-size: 12px; color: var(--soft); font-variant-numeric: tabular-nums; }
td { padding: 1px 12px 1px 0; white-space: nowrap; }
td:first-child { color: var(--ink); }
svg rect { fill: none; vector-effect: non-scaling-stroke; stroke-width: 1.25; }
svg line { vector-effect: non-scaling-stroke; stroke: #c218d8; stroke-width: 1; }
svg .safe { stroke: var(--safe); stroke-dasharray: 7 5; stroke-width: 1.5; }
svg .box { stroke: var(--box); stroke-dasharray: 3 3; }
svg .words { stroke: var(--words); }
body:not(.boxes) .box, body:not(.boxes) .words, body:not(.safe) .safe, body:not(.baselines) line,
body:not(.figures) table { display: none; }
@media (max-width: 700px) { header { position: static; padding: 12px 16px; gap: 10px 16px; } main { padding: 0 16px 48px; } #error { margin: 16px 16px 0; } }
</style></head><body>
<header><h1 id="title">affiche preview</h1>
<fieldset id="overlay"><label style="--mark: var(--words)"><input type="checkbox" value="boxes">boxes</label>
<label style="--mark: #c218d8"><input type="checkbox" value="baselines">baselines</label>
<label style="--mark: var(--safe)"><input type="checkbox" value="safe">safe zone</label>
<label style="--mark: var(--accent)"><input type="checkbox" value="figures">size, lines, contrast</label></fieldset>
<label>size <select id="size"><option value="">all</option></select></label>
<label>zoom <select id="zoom"><option value="fit" selected>rows</option><option>0.25</option><option>0.35</option><option>0.5</option><option>0.75</option><option>1</option></select></label>
<span id="link">still</span></header>
<div id="error" role="alert" hidden></div><main id="cards"></main>
<script>
"use strict";
const at = (id) => document.getElementById(id);
const make = (tag, set = {}, ...inner) => { const e = document.createElement(tag); Object.assign(e, set); e.append(...inner); return e; };
const draw = (tag, set) => { const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(set)) e.setAttribute(k, v); return e; };
const chosen = JSON.parse(localStorage.getItem("affiche") || "{}");
// ?overlay=boxes,figures chooses what is drawn; ?once is for pictures of the page: everything is there
// when it has loaded, and no connection stays open.
const asked = new URLSearchParams(location.search);
const once = asked.has("once");
function ask(path) {
  if (!once) return fetch(path).then(async (answer) => ({ ok: answer.ok, text: await answer.text() }));
  const request = new XMLHttpRequest();
  request.open("GET", path, false);
  request.send();
  return { ok: request.status === 200, text: request.responseText };
}
if (asked.has("overlay")) chosen.overlay = asked.get("overlay").split(",");
let state = null;

function keep() {
  chosen.overlay = [...at("overlay").querySelectorAll("input:checked")].map((e) => e.value);
  chosen.size = at("size").value; chosen.zoom = at("zoom").value;
  localStorage.setItem("affiche", JSON.stringify(chosen));
}
function dress() {
  document.body.className = chosen.overlay?.join(" ") ?? "";
  for (const e of at("overlay").querySelectorAll("input")) e.checked = !!chosen.overlay?.includes(e.value);
}
async function explain(svg, card, query) {
  const answer = await ask("layout.json?" + query);
  if (!answer.ok) {
    card.append(make("p", { textContent: answer.text }));
    return;
  }
  const layout = JSON.parse(answer.text);
  const table = make("table");
  svg.append(draw("rect", { class: "safe", ...layout.safe }));
  for (const layer of layout.layers) {
    svg.append(draw("rect", { class: layer.lines ? "words" : "box", ...layer.box }));
    for (const y of layer.baselines) svg.append(draw("line", { x1: layer.box.x, x2: layer.box.x + layer.box.width, y1: y, y2: y }));
    if (layer.lines) table.append(make("tr", {}, ...[layer.name, `${layer.size} px`, `${layer.lines} line${layer.lines > 1 ? "s" : ""}`,
      `${layer.contrast.toFixed(1)}:1`].map((text) => make("td", { textContent: text }))));
  }
  card.after(table);
}
function show() {
  at("error").hidden = !state.error; at("error").textContent = state.error ?? "";
  at("title").replaceChildren(state.template, " ", make("small", { textContent: "brand " + state.brand }));
  document.title = (state.error ? "! " : "") + state.template + " · affiche preview";
  const sizes = at("size");
  sizes.replaceChildren(make("option", { value: "", textContent: "all" }), ...state.sizes.map((s) => make("option", { value: s.name, textContent: `${s.name} ${s.width}×${s.height}` })));
  sizes.value = state.sizes.some((s) => s.name === chosen.size) ? chosen.size : "";
  if (chosen.zoom) at("zoom").value = chosen.zoom;
  const shown = state.sizes.filter((s) => !sizes.value || s.name === sizes.value);
  // As rows: cards of one height, all sizes beside one another where the window is wide enough.
  const room = document.documentElement.clientWidth - 49 - 18 * (shown.length - 1);
  const least = chosen.overlay?.includes("figures") ? 200 : 0;  // the width of a table
  const needed = (h) => shown.reduce((sum, s) => sum + Math.max(h * s.width / s.height, least), 0);
  let height = 460;
  while (height > 180 && needed(height) > room) height -= 2;
  const scale = (s) => at("zoom").value === "fit" ? height / s.height : Number(at("zoom").value);
  const rows = state.cases.map((name, number) => make("section", {}, make("h2", { textContent: name }), make("div", { className: "row" },
    ...shown.map((s) => {
      const query = new URLSearchParams({ size: s.name, case: number, version: state.version }).toString();
      const link = make("a", { className: "card", href: "card.jpg?" + query, target: "_blank" });
      link.style.width = s.width * scale(s) + "px"; link.style.aspectRatio = `${s.width} / ${s.height}`;
      const svg = draw("svg", { viewBox: `0 0 ${s.width} ${s.height}` });
      const image = make("img", { loading: once ? "eager" : "lazy", alt: `${name}, ${s.name}`, src: "card.jpg?" + query });
      image.onerror = () => image.remove();
      if (once) explain(svg, link, query); else image.onload = () => explain(svg, link, query);
      image.addEventListener("error", () => once || explain(svg, link, query));
      link.append(image, svg);
      return make("figure", {}, link, make("figcaption", { textContent: `${s.name} ${s.width}×${s.height}` }));
    }))));
  at("cards").replaceChildren(...rows);
}
async function load() {
  const top = scrollY;
  state = JSON.parse((await ask("state.json")).text);
  show(); scrollTo(0, top);
}
at("overlay").onchange = () => { keep(); dress(); if (state) show(); };
at("size").onchange = at("zoom").onchange = () => { keep(); show(); };
let turn = 0;
onresize = () => { clearTimeout(turn); turn = setTimeout(() => state && show(), 150); };
dress();
load().then(() => {
  if (once) return;
  const events = new EventSource("events?after=" + state.version);
  const say = (text, live) => { at("link").textContent = text; at("link").classList.toggle("live", live); };
  events.onopen = () => say("live", true);
  events.onerror = () => say("affiche is gone; waiting", false);
  events.onmessage = load;
});
</script></body></html>
)HTML";

}  // namespace affiche::http
