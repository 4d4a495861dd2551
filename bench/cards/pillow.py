# SPDX-License-Identifier: Apache-2.0
# The card of `affiche bench cards` with Pillow, as its documentation would have it: reduced decoding
# (draft), one resize with a box, static layers prepared once, text measured until it fits.
# Usage: pillow.py PARTS CARDS; prints one JSON object with the milliseconds of each card.
import io
import json
import sys
import time

import PIL
from PIL import Image, ImageDraw, ImageFont

parts, cards = sys.argv[1], int(sys.argv[2])
plan = json.load(open(f"{parts}/plan.json"))
mask = Image.open(f"{parts}/mask.png").convert("L")
overlay = Image.open(f"{parts}/overlay.png").convert("RGBA")
fonts = {size: ImageFont.truetype(plan["bold"], size) for size in range(40, 65)}
small, credit_font = ImageFont.truetype(plan["regular"], 24), ImageFont.truetype(plan["regular"], 20)


def wrap(draw, text, font, width):
    lines = [""]
    for word in text.split():
        longer = (lines[-1] + " " + word).strip()
        if draw.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def headline(draw, text):
    low, high = 40, 64
    while low < high:
        middle = (low + high + 1) // 2
        if len(wrap(draw, text, fonts[middle], 620)) <= 3:
            low = middle
        else:
            high = middle - 1
    lines = wrap(draw, text, fonts[low], 620)[:3]
    top = 170 + (260 - len(lines) * low * 1.2) / 2
    for i, line in enumerate(lines):
        draw.text((60, top + i * low * 1.2), line, font=fonts[low], fill="white")


def card(number):
    sheet = Image.open(f"{parts}/background-{number % plan['backgrounds']}.png").convert("RGB")
    photo = Image.open(f"{parts}/photo-{number % plan['photos']}.jpg")
    photo.draft("RGB", (945, 630))
    width, height = photo.size
    cut = height * 660 / 630
    photo = photo.resize((660, 630), Image.Resampling.LANCZOS,
                         box=((width - cut) / 2, 0, (width + cut) / 2, height))
    sheet.paste(photo, (540, 0), mask)
    sheet.paste(overlay, (0, 0), overlay)
    draw = ImageDraw.Draw(sheet)
    headline(draw, plan["headlines"][number % len(plan["headlines"])])
    draw.text((60, 456), plan["byline"], font=small, fill="#F4E9D8")
    length = draw.textlength(plan["credit"], font=credit_font)
    draw.text((1140 - length, 572), plan["credit"], font=credit_font, fill="white")
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=85, subsampling="4:2:0")
    return out.getvalue()


times = []
for number in range(cards + 3):
    start = time.perf_counter()
    made = card(number)
    times.append((time.perf_counter() - start) * 1000)
open(f"{parts}/pillow.jpg", "wb").write(made)
print(json.dumps({"version": PIL.__version__, "ms": times[3:], "bytes": len(made)}))
