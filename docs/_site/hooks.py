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
NOTEBOOKS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/*.ipynb"))
OUTSIDE = ("CONTRIBUTING.md", "instances/data/README.md", *NOTEBOOKS)
"""Pages of the site that stand outside docs/, by their paths in the clone, which are those in the site."""

_LINK = re.compile(r"\[([^\]]+)\]\(\.\./([^)]*)\)")
_LINK_OF_NOTEBOOK = re.compile(r'href="\.\./docs/([\w-]+)\.md')
_MARKDOWN_CELL = re.compile(r'<div class="[^"]*jp-MarkdownOutput.*?</div>', re.DOTALL)
_FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)
_NOTEBOOK_FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?=\S)([^$\n<>]+?)(?<=\S)\$(?!\w)", re.DOTALL)


@event_priority(100)
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/, before the plugin that looks for notebooks."""
    for path in OUTSIDE:
        files.append(File(path, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at pages of the site, and write the tables that the package knows."""
    if page.file.src_uri in OUTSIDE:
        markdown = re.sub(r"\]\(docs/", "](", markdown)
    markdown = _LINK.sub(_within_the_site, markdown)
    return re.sub(r"<!-- table: (\w+) -->", lambda found: TABLES[found[1]](), markdown)


def _within_the_site(link: re.Match[str]) -> str:
    """A link out of docs/ as one to that page of the site, or as its words where the site has no such page."""
    return f"[{link[1]}]({link[2]})" if link[2] in OUTSIDE else link[1]


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Formulas as MathML, which browsers draw by themselves; links of notebooks to pages."""
    if page.file.src_uri not in NOTEBOOKS:
        return _FORMULA.sub(lambda found: _mathml(found[2], "block" if found[1] == "div" else "inline"), html)
    html = _LINK_OF_NOTEBOOK.sub(r'href="../\1.html', html)
    return _MARKDOWN_CELL.sub(lambda cell: _NOTEBOOK_FORMULA.sub(_formula_of_notebook, cell[0]), html)


def _formula_of_notebook(found: re.Match[str]) -> str:
    return _mathml(found[1] or found[2], "block" if found[1] else "inline")


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
