"""Hooks of the site: pages that stand outside docs/, tables made from the registry, formulas as MathML."""

from __future__ import annotations

import ast
import inspect
import re
from doctest import DocTestParser, Example
from html import unescape
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File

import harpagon
from harpagon.instances.policies import Billing, Dispatch, Word
from harpagon.solvers.method import Kind
from harpagon.solvers.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def on_config(config: MkDocsConfig) -> None:
    """Refuse an editable install, whose folders the reader of docstrings cannot find."""
    if ROOT / "src" in Path(harpagon.__file__).parents:
        raise PluginError('the site is built from an installed package: run pip install ".[docs]" in an environment')


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
    if "/" not in page.file.src_uri or page.file.src_uri in OUTSIDE:  # from a folder of docs/, ".." is docs/ itself
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
    made = convert(unescape(formula.strip()), display=display)
    return f'<div class="formula">{made}</div>' if display == "block" else made


def _methods() -> str:
    rows = [
        (f"`{one.name}`", one.kind, one.summary, _words(one.capabilities.billings), _words(one.capabilities.dispatches))
        for one in METHODS.values()
    ]
    return _table(("method", "kind", "what it does", "billings", "policies"), rows)


def _dispatches() -> str:
    rows = [(f"`{one}`", one_line, _exact_methods(one)) for one, one_line in _documented(Dispatch)]
    return _table(("policy", "what it means", "exact methods that plan for it"), rows)


def _exact_methods(policy: Word) -> str:
    known = (one for one in METHODS.values() if one.kind is Kind.EXACT and policy in one.capabilities.dispatches)
    return ", ".join(f"`{one.name}`" for one in known)


def _billings() -> str:
    return _table(("billing", "what it means"), [(f"`{one}`", one_line) for one, one_line in _documented(Billing)])


def _documented(words: type[Word]) -> list[tuple[Word, str]]:
    """Members with the string below each, which Python itself drops."""
    (cls,) = ast.parse(dedent(inspect.getsource(words))).body
    texts = [node.value.value for node in cls.body[1:] if isinstance(node, ast.Expr)]
    return [(one, text.replace("``", "`")) for one, text in zip(words, texts, strict=True)]


def _table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, ("---",) * len(headings), *rows))


def _words(words: Iterable[Word]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _names() -> str:
    """Each public name as documented where it is defined, with its lines of the examples of docs/api.md."""
    examples = DocTestParser().get_examples((ROOT / "docs" / "api.md").read_text(encoding="utf-8"))
    return "\n\n".join(f"::: harpagon.{name}\n\n{_example(name, examples)}" for name in harpagon.__all__)


def _example(name: str, examples: list[Example]) -> str:
    one = next(one for one in examples if re.search(rf"\bharpagon\.{name}\b", one.source))
    first, *more = one.source.splitlines()
    code = "\n".join([f">>> {first}", *(f"... {line}" for line in more), *one.want.splitlines()])
    return f"```pycon\n{code}\n```\n\nFrom [the examples](api.md), which run from top to bottom.\n{{ .quiet }}"


TABLES = {"methods": _methods, "names": _names, "billings": _billings, "dispatches": _dispatches}
"""What ``<!-- table: NAME -->`` in a page stands for."""
