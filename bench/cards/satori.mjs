// SPDX-License-Identifier: Apache-2.0
// The card of `affiche bench cards` with satori and resvg for all but the pictures, as their
// documentation would have it: satori lays the words out at smaller sizes until the headline has
// three lines, then the whole card (scrim, foot, frame, pill, logo, words); resvg draws it, sharp
// puts the result over background and photo.
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
const picture = (svg) => "data:image/svg+xml;base64," + Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${svg}</svg>`).toString("base64");
const logo = picture(`viewBox="61 46 209 51" width="209" height="51"><path fill="#FF6B4A" d="M82 46L82 76L75.500 69.500ZM103 76L82 76L88.500 69.500ZM82 97L82 76L88.500 82.500ZM61 76L82 76L75.500 82.500Z"/><path fill="#F4E9D8" d="M120 62h150v8H120zM120 78h90v5h-90z"/>`);
const fonts = [
  { name: "Noto Sans", data: readFileSync(plan.regular), weight: 400, style: "normal" },
  { name: "Noto Sans", data: readFileSync(plan.bold), weight: 700, style: "normal" },
];
const box = (style, children) => ({ type: "div", props: { style: { display: "flex", position: "absolute", ...style }, children } });

// The layers that never change.
const chrome = [
  box({ left: 0, top: 0, width: 760, height: 630, backgroundImage: "linear-gradient(to right, rgba(15,27,45,0.6) 50%, rgba(15,27,45,0))" }),
  box({ left: 0, top: 500, width: 1200, height: 130, backgroundImage: "linear-gradient(rgba(15,27,45,0), rgba(15,27,45,0.85))" }),
  box({ left: 18.5, top: 18.5, width: 1157, height: 587, borderRadius: 29.5, border: "3px solid rgba(244,233,216,0.6)" }),
  box({ left: 60, top: 118, width: 132, height: 36, borderRadius: 18, backgroundColor: "#FF6B4A" }, [
    box({ left: 24, top: 12, width: 84, height: 4, backgroundColor: "#fff" }),
    box({ left: 24, top: 20, width: 60, height: 4, backgroundColor: "#fff" }),
  ]),
  { type: "img", props: { src: logo, width: 209, height: 51, style: { position: "absolute", left: 61, top: 46 } } },
];

async function layout(headline, size, layers = []) {
  let height = 0;
  const svg = await satori(
    box({ left: 0, top: 0, width: 1200, height: 630, color: "#fff", fontFamily: "Noto Sans" }, [
      ...layers,
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
  if ((await layout(headline, high)).lines <= 3) low = high;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((await layout(headline, middle)).lines <= 3) low = middle;
    else high = middle - 1;
  }
  return (await layout(headline, low, chrome)).svg;
}

async function card(number) {
  const svg = await words(plan.headlines[number % plan.headlines.length]);
  const drawn = new Resvg(svg, { font: { loadSystemFonts: false } }).render();
  // In two steps: a channel joined in the first would be cropped with the photograph.
  const cut = await sharp(`${parts}/photo-${number % plan.photos}.jpg`)
    .resize(660, 630, { fit: "cover" })
    .raw()
    .toBuffer();
  const photo = await sharp(cut, { raw: { width: 660, height: 630, channels: 3 } })
    .joinChannel(mask, { raw: { width: 660, height: 630, channels: 1 } })
    .raw()
    .toBuffer();
  return sharp(`${parts}/background-${number % plan.backgrounds}.png`)
    .composite([
      { input: photo, raw: { width: 660, height: 630, channels: 4 }, left: 540, top: 0 },
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
