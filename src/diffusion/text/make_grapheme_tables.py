#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes unicode_graphemes.cpp beside itself, from the Unicode data of the package `regex`.

    pip install regex && python3 make_grapheme_tables.py
"""
import pathlib

import regex

HEAD = """// SPDX-License-Identifier: Apache-2.0
// Written by make_grapheme_tables.py from regex 2026.11.15. Do not edit.
#include "diffusion/text/unicode_tables.h"

namespace affiche::diffusion::unicode {

// clang-format off
"""
TABLES = [("kJoining", r"[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]"),
          ("kControls", r"[\p{GCB=Control}\p{GCB=CR}\p{GCB=LF}]"),
          ("kPrepended", r"\p{GCB=Prepend}")]


def ranges(pattern):
    wanted, out = regex.compile(pattern), []
    for c in range(0x110000):
        if 0xD800 <= c <= 0xDFFF or not wanted.match(chr(c)):
            continue
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


with open(pathlib.Path(__file__).with_name("unicode_graphemes.cpp"), "w", encoding="ascii") as out:
    out.write(HEAD)
    for name, pattern in TABLES:
        rows = ranges(pattern)
        out.write(f"extern const Range {name}[] = {{\n")
        line = "   "
        for first, last in rows:
            item = f" {{{first:#x},{last:#x}}},"
            if len(line) + len(item) > 100:
                out.write(line + "\n")
                line = "   "
            line += item
        out.write(f"{line}\n}};\nextern const std::size_t {name}Count = {len(rows)};\n\n")
    out.write("// clang-format on\n\n}  // namespace affiche::diffusion::unicode\n")
