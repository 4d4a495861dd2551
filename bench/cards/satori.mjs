// SPDX-License-Identifier: Apache-2.0
// The card of `affiche bench cards` with satori and resvg for the words, and sharp for the pictures:
// satori lays out at smaller sizes until the headline has three lines, resvg draws, sharp puts the
// result over background and photo.
// Usage: satori.mjs PARTS CARDS; prints one JSON object with the milliseconds of each card.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.cwd() + "/");
const sharp = require("sharp");
const { Resvg } = require("@resvg/resvg-js");
// Its CommonJS build wraps the function once more than its ES module.
const module = (await import(pathToFileURL(require.resolve("satori")).href)).default;
const satori = module.default ?? module;
const [parts, cards] = [process.argv[2], Number(process.argv[3])];
const plan = JSON.parse(readFileSync(`${parts}/plan.json`));
sharp.concurrency(1);
sharp.cache(false);
const mask = await sharp(`${parts}/mask.png`).extractChannel(0).raw().toBuffer();
const overlay = readFileSync(`${parts}/overlay.png`);
const fonts = [
  { name: "Noto Sans", data: readFileSync(plan.regular), weight: 400, style: "normal" },
  { name: "Noto Sans", data: readFileSync(plan.bold), weight: 700, style: "normal" },
];
const box = (style, children) => ({ type: "div", props: { style: { display: "flex", position: "absolute", ...style }, children } });

async function layout(headline, size) {
  let height = 0;
  const svg = await satori(
    box({ left: 0, top: 0, width: 1200, height: 630, color: "#fff", fontFamily: "Noto Sans" }, [
      { ...box({ left: 60, top: 170, width: 620, fontSize: size, fontWeight: 700, lineHeight: 1.2 }, headline), key: "headline" },
      box({ left: 60, top: 450, fontSize: 24, color: "#F4E9D8" }, plan.byline),
      box({ right: 60, top: 566, fontSize: 20 }, plan.credit),
    ]),
    { width: 1200, height: 630, fonts, onNodeDetected: (node) => { if (node.key === "headline") height = node.height; } },
  );
  return { svg, lines: Math.round(height / (size * 1.2)) };
}

async function words(headline) {
  let [low, high] = [40, 64];
  let best = await layout(headline, high);
  if (best.lines <= 3) return best.svg;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const now = await layout(headline, middle);
    if (now.lines <= 3) [low, best] = [middle, now];
    else high = middle - 1;
  }
  return best.svg;
}

async function card(number) {
  const svg = await words(plan.headlines[number % plan.headlines.length]);
  const drawn = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
  const photo = await sharp(`${parts}/photo-${number % plan.photos}.jpg`)
    .resize(660, 630, { fit: "cover" })
    .joinChannel(mask, { raw: { width: 660, height: 630, channels: 1 } })
    .raw()
    .toBuffer();
  return sharp(`${parts}/background-${number % plan.backgrounds}.png`)
    .composite([
      { input: photo, raw: { width: 660, height: 630, channels: 4 }, left: 540, top: 0 },
      { input: overlay, left: 0, top: 0 },
      { input: drawn.pixels, raw: { width: 1200, height: 630, channels: 4, premultiplied: true }, left: 0, top: 0 },
    ])
    .jpeg({ quality: 85, chromaSubsampling: "4:2:0" })
    .toBuffer();
}

const times = [];
let made;
for (let number = 0; number < cards + 3; ++number) {
  const start = performance.now();
  made = await card(number);
  times.push(performance.now() - start);
}
writeFileSync(`${parts}/satori.jpg`, made);
const version = JSON.parse(readFileSync(require.resolve("satori").replace(/satori[\/\\]dist.*/, "satori/package.json"))).version;
console.log(JSON.stringify({ version, ms: times.slice(3), bytes: made.length }));
