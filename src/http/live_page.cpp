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
:root { color-scheme: light dark; --line: #8884; --accent: #0a7d8c; }
* { box-sizing: border-box; }
body { margin: 0; font: 15px/1.45 system-ui, "Noto Sans", sans-serif; }
header { position: sticky; top: 0; z-index: 5; display: flex; flex-wrap: wrap; gap: 6px 22px;
  align-items: center; padding: 10px 20px; background: Canvas; border-bottom: 1px solid var(--line); }
h1 { font-size: 17px; margin: 0; }
h1 small { font-weight: 400; opacity: .7; }
fieldset { border: 0; margin: 0; padding: 0; display: flex; flex-wrap: wrap; gap: 4px 14px; }
label { display: inline-flex; gap: 5px; align-items: center; }
#link { margin-left: auto; opacity: .7; }
#error { margin: 16px 20px 0; padding: 12px 16px; border-left: 5px solid #c22; background: #c221;
  font: 14px/1.5 ui-monospace, "Noto Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
main { padding: 4px 20px 60px; }
h2 { font-size: 15px; margin: 22px 0 8px; }
.row { display: flex; flex-wrap: wrap; gap: 18px; align-items: flex-start; }
figure { margin: 0; }
figcaption { font-size: 13px; opacity: .75; padding-top: 3px; }
.card { position: relative; display: block; background: repeating-conic-gradient(#8883 0 25%, #8881 0 50%) 0 / 20px 20px; }
.card img, .card svg { position: absolute; inset: 0; width: 100%; height: 100%; display: block; }
.card svg { pointer-events: none; overflow: visible; }
.card p { position: absolute; inset: 0; margin: 0; padding: 12px; overflow: auto; background: #c222;
  font: 13px/1.45 ui-monospace, "Noto Sans Mono", monospace; overflow-wrap: anywhere; }
svg rect { fill: none; vector-effect: non-scaling-stroke; stroke-width: 1.5; }
svg line { vector-effect: non-scaling-stroke; stroke: #e0a; stroke-width: 1; }
svg .safe { stroke: #0d7; stroke-dasharray: 8 6; stroke-width: 2; }
svg .box { stroke: #3af; stroke-dasharray: 3 4; }
svg .words { stroke: #f36; }
svg text { fill: #fff; paint-order: stroke; stroke: #000; stroke-width: 4px; font-family: system-ui, "Noto Sans", sans-serif; }
body:not(.boxes) .box, body:not(.boxes) .words, body:not(.safe) .safe, body:not(.baselines) line,
body:not(.figures) svg text { display: none; }
</style></head><body>
<header><h1 id="title">affiche preview</h1>
<fieldset id="overlay"><label><input type="checkbox" value="boxes">boxes</label>
<label><input type="checkbox" value="baselines">baselines</label>
<label><input type="checkbox" value="safe">safe zone</label>
<label><input type="checkbox" value="figures">size, lines, contrast</label></fieldset>
<label>size <select id="size"><option value="">all</option></select></label>
<label>zoom <select id="zoom"><option>0.25</option><option selected>0.35</option><option>0.5</option><option>0.75</option><option>1</option></select></label>
<span id="link">…</span></header>
<div id="error" role="alert" hidden></div><main id="cards"></main>
<script>
"use strict";
const at = (id) => document.getElementById(id);
const make = (tag, set = {}, ...inner) => { const e = document.createElement(tag); Object.assign(e, set); e.append(...inner); return e; };
const draw = (tag, set, text) => { const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(set)) e.setAttribute(k, v); if (text) e.textContent = text; return e; };
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
  const small = Math.max(13, layout.width / 60);
  svg.append(draw("rect", { class: "safe", ...layout.safe }));
  for (const layer of layout.layers) {
    svg.append(draw("rect", { class: layer.lines ? "words" : "box", ...layer.box }));
    for (const y of layer.baselines) svg.append(draw("line", { x1: layer.box.x, x2: layer.box.x + layer.box.width, y1: y, y2: y }));
    if (layer.lines) svg.append(draw("text", { x: Math.max(2, layer.box.x), y: Math.max(small, layer.box.y - 5), "font-size": small },
      `${layer.name} ${layer.size} px, ${layer.lines} line${layer.lines > 1 ? "s" : ""}, ${layer.contrast.toFixed(1)}:1`));
  }
}
function show() {
  at("error").hidden = !state.error; at("error").textContent = state.error ?? "";
  at("title").replaceChildren(state.template, " ", make("small", { textContent: "brand " + state.brand }));
  document.title = (state.error ? "! " : "") + state.template + " · affiche preview";
  const sizes = at("size");
  sizes.replaceChildren(make("option", { value: "", textContent: "all" }), ...state.sizes.map((s) => make("option", { value: s.name, textContent: `${s.name} ${s.width}×${s.height}` })));
  sizes.value = state.sizes.some((s) => s.name === chosen.size) ? chosen.size : "";
  if (chosen.zoom) at("zoom").value = chosen.zoom;
  const zoom = Number(at("zoom").value);
  const rows = state.cases.map((name, number) => make("section", {}, make("h2", { textContent: name }), make("div", { className: "row" },
    ...state.sizes.filter((s) => !sizes.value || s.name === sizes.value).map((s) => {
      const query = new URLSearchParams({ size: s.name, case: number, version: state.version }).toString();
      const link = make("a", { className: "card", href: "card.jpg?" + query, target: "_blank" });
      link.style.width = s.width * zoom + "px"; link.style.height = s.height * zoom + "px";
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
at("overlay").onchange = () => { keep(); dress(); };
at("size").onchange = at("zoom").onchange = () => { keep(); show(); };
dress();
load().then(() => {
  if (once) return;
  const events = new EventSource("events?after=" + state.version);
  events.onopen = () => { at("link").textContent = "live"; };
  events.onerror = () => { at("link").textContent = "affiche is gone; waiting"; };
  events.onmessage = load;
});
</script></body></html>
)HTML";

}  // namespace affiche::http
