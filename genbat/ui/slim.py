"""RDKit's drawings in a third of the bytes: a page sends many of them."""

from __future__ import annotations

import re

_OPENING = re.compile(r"<svg[^>]*?width='([\d.]+)px' height='([\d.]+)px'[^>]*>", re.DOTALL)
_PATH = re.compile(r"<path (?:class='[^']*' )?d='([^']*)'([^>]*?)/>", re.DOTALL)
_LINE = re.compile(r"style='fill:none;.*?stroke:(#\w{6});stroke-width:([\d.]+)px")
_LETTER = re.compile(r"^\s*fill='(#\w{6})'\s*$")
_GAPS = re.compile(r"\s*([MLQZ])\s*|[\s,]+")


def slim(svg: str) -> str:
    """The same picture: bonds and letters of one colour become one path each."""
    opening = _OPENING.search(svg)
    if not opening:
        return svg
    lines: dict[tuple[str, str], str] = {}
    letters: dict[str, str] = {}
    others = []
    for path in _PATH.finditer(svg):
        shape = _GAPS.sub(lambda m: m[1] or " ", path[1]).replace(".0", "").strip()
        line, letter = _LINE.search(path[2]), _LETTER.search(path[2])
        if line and "dash" not in path[2]:
            lines[line[1], line[2]] = lines.get((line[1], line[2]), "") + shape
        elif letter:
            letters[letter[1]] = letters.get(letter[1], "") + shape
        else:
            others.append(path[0])
    width, height = opening[1], opening[2]
    strokes = [f"<path stroke='{c}' stroke-width='{w}' d='{d}'/>" for (c, w), d in lines.items()]
    fills = [f"<path fill='{colour}' d='{d}'/>" for colour, d in letters.items()]
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}'><g fill='none'>{''.join(strokes)}</g>"
        f"{''.join(others)}{''.join(fills)}</svg>"
    )
