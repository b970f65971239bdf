"""Hooks of the site: pages that stand outside docs/, tables made from the registry, formulas as MathML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from latex2mathml.converter import convert
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

import harpagon
from harpagon.instances.policies import Billing, Dispatch
from harpagon.solvers.methods import METHODS

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent
OUTSIDE = {"CONTRIBUTING.md": "CONTRIBUTING.md", "data.md": "instances/data/README.md"}
"""Pages of the site by the files that hold them."""

LINKS = {
    "../notebooks/": "notebooks/",
    "../CONTRIBUTING.md": "CONTRIBUTING.md",
    "../instances/data/README.md": "data.md",
}
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_NOTEBOOK_FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?=\S)([^$\n<>]+?)(?<=\S)\$(?!\w)", re.DOTALL)


@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/ and the notebooks, before the plugin that looks for notebooks."""
    pages = {
        **OUTSIDE,
        **{f"notebooks/{path.name}": f"notebooks/{path.name}" for path in ROOT.glob("notebooks/*.ipynb")},
    }
    for uri, source in pages.items():
        files.append(File.generated(config, uri, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at pages of the site, and write the tables that the package knows."""
    for old, new in LINKS.items():
        markdown = markdown.replace(f"]({old}", f"]({new}")
    if page.file.src_uri in OUTSIDE:
        markdown = re.sub(r"\]\(docs/", "](", markdown)
    markdown = re.sub(r"\[([^\]]+)\]\(\.\./[^)]*\)", r"\1", markdown)  # files of the clone that are no pages
    return re.sub(r"<!-- table: (\w+) -->", lambda found: TABLES[found[1]](), markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulas as MathML, which browsers draw by themselves."""
    html = _FORMULA.sub(lambda found: _mathml(found[2], "block" if found[1] == "div" else "inline"), html)
    if page.file.src_uri.endswith(".ipynb"):
        html = _NOTEBOOK_FORMULA.sub(
            lambda found: _mathml(found[1] or found[2], "block" if found[1] else "inline"), html
        )
    return html


def _mathml(formula: str, display: str) -> str:
    from html import unescape

    return convert(unescape(formula.strip()), display=display)


def _methods() -> str:
    rows = [f"| `{one.name}` | {one.kind} | {one.summary} | {_policies(one.name)} |" for one in METHODS.values()]
    return "\n".join(["| method | kind | what it does | policies |", "|---|---|---|---|", *rows])


def _policies(name: str) -> str:
    return ", ".join(f"`{dispatch}`" for dispatch in METHODS[name].capabilities.dispatches)


def _names() -> str:
    return "\n\n".join(f"::: harpagon.{name}" for name in harpagon.__all__ if not name.isupper())


def _billings() -> str:
    return ", ".join(f"`{billing}`" for billing in Billing)


def _dispatches() -> str:
    return ", ".join(f"`{dispatch}`" for dispatch in Dispatch)


TABLES = {"methods": _methods, "names": _names, "billings": _billings, "dispatches": _dispatches}
"""What ``<!-- table: NAME -->`` in a page stands for."""
