// SPDX-License-Identifier: Apache-2.0
// The card of `affiche bench cards` with sharp: static layers prepared once as PNG, the texts as an
// SVG overlay whose lines are guessed from the letters' average width, as is usual with sharp.
// Usage: sharp.mjs PARTS CARDS; prints one JSON object with the milliseconds of each card.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const sharp = createRequire(process.cwd() + "/")("sharp");
const [parts, cards] = [process.argv[2], Number(process.argv[3])];
const plan = JSON.parse(readFileSync(`${parts}/plan.json`));
sharp.concurrency(1);
sharp.cache(false);
const mask = await sharp(`${parts}/mask.png`).extractChannel(0).raw().toBuffer();
const overlay = readFileSync(`${parts}/overlay.png`);
const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

function wrap(text, width, size) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = (lines.at(-1) + " " + word).trim();
    if (longer.length * size * 0.56 <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

function words(headline) {
  let size = 64;
  while (size > 40 && wrap(headline, 620, size).length > 3) --size;
  const lines = wrap(headline, 620, size).slice(0, 3);
  const top = 170 + (260 - lines.length * size * 1.2) / 2 + size;
  const spans = lines.map((line, i) => `<text x="60" y="${top + i * size * 1.2}">${escape(line)}</text>`);
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="1200" height="630" font-family="Noto Sans" fill="#fff">
    <g font-size="${size}" font-weight="700">${spans.join("")}</g>
    <text x="60" y="478" font-size="24" fill="#F4E9D8">${escape(plan.byline)}</text>
    <text x="1140" y="590" font-size="20" text-anchor="end">${escape(plan.credit)}</text></svg>`);
}

async function card(number) {
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
      { input: overlay, left: 0, top: 0 },
      { input: words(plan.headlines[number % plan.headlines.length]), left: 0, top: 0 },
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
writeFileSync(`${parts}/sharp.jpg`, made);
console.log(JSON.stringify({ version: sharp.versions.sharp, ms: times.slice(3), bytes: made.length }));
