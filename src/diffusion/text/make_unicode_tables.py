#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes unicode_classes.cpp and unicode_compositions.cpp beside itself, from the Unicode data of
Python's standard library.

    python3 make_unicode_tables.py

Unicode 14.0, as in Python 3.11, is also the version of the Oniguruma release that the Rust
tokenizers library takes its character classes from; run it with a Python of that version.
"""
import pathlib
import sys
import unicodedata as u

ALL = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(wanted):
    out = []
    for c in ALL:
        if not wanted(chr(c)):
            continue
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def combining():
    out = []
    for c in ALL:
        k = u.combining(chr(c))
        if not k:
            continue
        if out and out[-1][1] == c - 1 and out[-1][2] == k:
            out[-1][1] = c
        else:
            out.append([c, c, k])
    return out


def lowercase():
    """Runs (first, last, stride, distance); U+0130, which becomes two characters, is left to code."""
    out = []
    for c in ALL:
        low = chr(c).lower()
        if len(low) != 1 or ord(low) == c:
            continue
        d = ord(low) - c
        if out and out[-1][3] == d and c - out[-1][1] in (1, 2) and (
                out[-1][2] == c - out[-1][1] or out[-1][0] == out[-1][1]):
            out[-1][2] = c - out[-1][1]
            out[-1][1] = c
        else:
            out.append([c, c, 1, d])
    return out


def decompositions():
    pairs, excluded, singles = [], [], []
    for c in ALL:
        text = u.decomposition(chr(c))
        if not text or text.startswith("<"):
            continue
        parts = [int(p, 16) for p in text.split()]
        if len(parts) == 1:
            singles.append([c] + parts)
        elif u.normalize("NFC", chr(c)) == chr(c):
            pairs.append([c] + parts)
        else:
            excluded.append([c] + parts)
    return pairs, excluded, singles


def table(out, kind, name, rows):
    out.write(f"extern const {kind} {name}[] = {{\n")
    line = "   "
    for row in rows:
        item = " {" + ",".join(hex(x) if x > 9 else str(x) for x in row) + "},"
        if len(line) + len(item) > 100:
            out.write(line + "\n")
            line = "   "
        line += item
    out.write(f"{line}\n}};\nextern const std::size_t {name}Count = {len(rows)};\n\n")


def write(name, tables):
    with open(pathlib.Path(__file__).with_name(name), "w", encoding="ascii") as out:
        out.write("// SPDX-License-Identifier: Apache-2.0\n")
        out.write(f"// Written by make_unicode_tables.py: Unicode {u.unidata_version}. Do not edit.\n")
        out.write('#include "diffusion/text/unicode_tables.h"\n\n')
        out.write("namespace affiche::diffusion::unicode {\n\n// clang-format off\n")
        for one in tables:
            table(out, *one)
        out.write("// clang-format on\n\n}  // namespace affiche::diffusion::unicode\n")


pairs, excluded, singles = decompositions()
write("unicode_classes.cpp", [
    ("Range", "kLetters", ranges(lambda c: u.category(c)[0] == "L")),
    ("Range", "kNumbers", ranges(lambda c: u.category(c)[0] == "N")),
    ("ClassRange", "kCombining", combining()),
    ("LowercaseRun", "kLowercase", lowercase())])
write("unicode_compositions.cpp", [
    ("Pair", "kPairs", pairs),
    ("Pair", "kExcludedPairs", excluded),
    ("Single", "kSingles", singles)])
if u.unidata_version != "14.0.0":
    print(f"warning: Unicode {u.unidata_version}, not 14.0.0", file=sys.stderr)
