"""A flame graph as a small SVG: a row a depth, a box a function, as wide as its part of the samples.

Boxes are coloured by the part of the work that they belong to. What is narrower than a few pixels is left out, so
that a picture stays small enough for a repository.
"""

from collections import Counter
from html import escape
from typing import Final

from benchmarks.flames.parts import PARTS, SERVER, part_of
from benchmarks.flames.stacks import Node, Stack, from_where_they_part, tree

WIDTH: Final = 1200
ROW: Final = 16
_NARROWEST: Final = 4.0
"""Pixels."""
_CHARACTER: Final = 6.2
_LEGEND: Final = 2 * ROW
_COLOURS: Final = dict(
    zip(
        PARTS,
        (
            "#c9d3dc", "#a9c4e4", "#f2b8a0", "#f5d48a", "#a8d5a2", "#e79a9a", "#c5b3e6", "#8fd0cf",
            "#e8c0dd", "#d9d7a3", "#bdbdbd", "#e0b48a", "#9fb0a0",
        ),
        strict=True,
    )
)  # fmt: skip


def drawn(stacks: Counter[Stack], title: str) -> str:
    """Return the picture as text; the same samples give the same text."""
    root = tree(from_where_they_part(stacks))
    boxes, deepest = [], 0
    for node, depth, start, part in _with_parts(root):
        width = WIDTH * node.count / root.count
        if width >= _NARROWEST:
            left = WIDTH * start / root.count
            boxes.append(_box(node, part, (left, depth, width), root.count))
            deepest = max(deepest, depth)
    height = (deepest + 1) * ROW + _LEGEND + ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="10">'
    )
    style = "<style>rect{stroke:#fff;stroke-width:.5}text{pointer-events:none}</style>"
    paper = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/><text x="4" y="12">{escape(title)}</text>'
    return "\n".join([head, style, paper, *_legend(), *boxes, "</svg>\n"])


def _with_parts(root: Node) -> list[tuple[Node, int, int, str]]:
    """Give each function its own part, or that of the function that called it."""
    above: list[str] = []
    found = []
    for node, depth, start in root.shown():
        del above[depth:]
        above.append(part_of(node.frame) or (above[-1] if above else SERVER))
        found.append((node, depth, start, above[-1]))
    return found


def _box(node: Node, part: str, place: tuple[float, int, float], whole: int) -> str:
    left, depth, width = place
    colour = _COLOURS[part]
    y = _LEGEND + ROW + depth * ROW
    name = escape(node.frame.name)
    letters = int((width - 4) / _CHARACTER)
    text = ""
    if letters > 2:
        shown = escape(
            node.frame.name if len(node.frame.name) <= letters else node.frame.name[: letters - 1] + "…"
        )
        text = f'<text x="{left + 2:.0f}" y="{y + 11}">{shown}</text>'
    where = f" ({escape(node.frame.file)})" if node.frame.file else ""
    tip = f"<title>{name}{where} {100 * node.count / whole:.1f} %</title>"
    box = f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" fill="{colour}">{tip}</rect>'
    return box + text


def _legend() -> list[str]:
    step = WIDTH / len(_COLOURS)
    return [
        f'<rect x="{number * step:.0f}" y="{ROW + 2}" width="10" height="10" fill="{colour}"/>'
        f'<text x="{number * step + 13:.0f}" y="{ROW + 11}">{part}</text>'
        for number, (part, colour) in enumerate(_COLOURS.items())
    ]
