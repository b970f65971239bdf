"""One self-contained HTML page: tables as HTML, figures as data URIs, nothing from the network."""

from __future__ import annotations

import base64
import io
import json
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING

from harpagon.evaluation.plotting.saving import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.figure import Figure

_STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; background: #fff; margin: 0 auto; max-width: 68rem;
  padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .4rem; }
p { max-width: 46rem; margin: .4rem 0 .8rem; } .quiet { color: #5b6675; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem; margin: 1.4rem 0; }
.tile { border: 1px solid #dce1e8; border-radius: .5rem; padding: .7rem .9rem; }
.tile b { display: block; font-size: 1.5rem; font-weight: 600; } .tile span { color: #5b6675; font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .6rem 0 1rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .22rem .7rem; text-align: right; border-bottom: 1px solid #e6eaef;
  font-variant-numeric: tabular-nums; }
th { color: #5b6675; font-weight: 600; } td:first-child, th:first-child { text-align: left; padding-left: 0; }
tbody tr:hover { background: #f5f7fa; }
figure { margin: .8rem 0 1.2rem; } figure img { max-width: 100%; height: auto; }
figcaption { color: #5b6675; font-size: .9rem; max-width: 46rem; }
th button { all: unset; cursor: pointer; } th button:hover, td button:hover { text-decoration: underline; }
th[aria-sort=ascending] button::after { content: " ↑"; } th[aria-sort=descending] button::after { content: " ↓"; }
td button { all: unset; cursor: pointer; color: #1f5fae; } :focus-visible { outline: 2px solid #1f5fae; }
input[type=search] { font: inherit; padding: .25rem .5rem; width: 20rem; max-width: 100%; }
.long { max-height: 34rem; overflow: auto; } .long thead th { position: sticky; top: 0; background: #fff; }
.plans { display: flex; gap: 2rem; text-align: left; white-space: pre; } .plans b { display: block; }
code { background: #f2f4f7; border-radius: .25rem; padding: .05rem .3rem; font-size: .9em; }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """Whole document with the parts in its body."""
    body = "\n".join(parts)
    script = files(__package__).joinpath("page.js").read_text(encoding="utf-8")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def heading(text: str) -> str:
    """Heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, quiet: bool = False) -> str:
    """Paragraph; text between backquotes becomes code."""
    pieces = [f"<code>{escape(piece)}</code>" if i % 2 else escape(piece) for i, piece in enumerate(text.split("`"))]
    opening = '<p class="quiet">' if quiet else "<p>"
    return f"{opening}{''.join(pieces)}</p>"


def tiles(pairs: Iterable[tuple[str, str]]) -> str:
    """Figures to see first, each (value, what it is)."""
    made = (f'<div class="tile"><b>{escape(value)}</b><span>{escape(what)}</span></div>' for value, what in pairs)
    return f'<div class="tiles">{"".join(made)}</div>'


def table(
    caption: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    plans: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Table; the first column is text, the others are figures.

    With ``plans`` it has a field to search it by, and a click on a cell shows what they have for its row and column.
    """
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in headings)
    body = "\n".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    made = (
        f"<table><caption>{escape(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table>"
    )
    if plans is None:
        return f'<div class="wide">{made}</div>'
    data = json.dumps(plans).replace("<", "\\u003c")
    return (
        f'<div class="searched"><input type="search" placeholder="Search" aria-label="Search: {escape(caption)}">'
        f'<div class="wide long">{made}</div><script type="application/json">{data}</script></div>'
    )


def image(figure: Figure, caption: str) -> str:
    """Figure as an SVG image inside the page."""
    content = io.BytesIO()
    literal(figure)
    figure.savefig(content, format="svg", metadata={"Date": None})
    data = base64.b64encode(content.getvalue()).decode()
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
