"""Names are text: no markup, no formulas, no control sequences, whatever command shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

import harpagon
from harpagon.cli import main
from harpagon.instances.figures import figure

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE, FIRST, SECOND, MODEL = "$\\frac{$ [red]", "[/d]", "אב:smile:", "<b>$x$[bold]"
CHEAP, DEAR, LONG = "T4[spot]", "$y$", "模" * 200


def document() -> dict[str, object]:
    """Two modules; every name would be markup, a formula or an emoji somewhere, one is too wide for any box."""
    slow = {"1": 20, "8": 60}
    modules = {FIRST: {"model": MODEL}, SECOND: {"model": LONG}}
    return {
        "format": "harpagon-instance/1",
        "name": "[/i]$",
        "billing": "whole",
        "hardware": {CHEAP: {"price_per_hour": 0.5}, DEAR: {"price_per_hour": 1.0}},
        "profiles": {MODEL: {CHEAP: slow, DEAR: slow}, LONG: {CHEAP: {"1": 20, "8": 80}, DEAR: {"1": 10, "8": 30}}},
        "pipelines": [
            {
                "name": PIPELINE,
                "rate_rps": 12000,
                "slo_ms": 500,
                "modules": modules,
                "edges": [{"from": FIRST, "to": SECOND}],
            }
        ],
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    instance, plan = tmp_path / "instance.json", tmp_path / "plan.json"
    instance.write_text(json.dumps(document()), encoding="utf-8")
    assert main(["plan", str(instance), "--out", str(plan)]) == 0
    return str(instance), str(plan)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["instances", "show", "INSTANCE"], [CHEAP, DEAR, PIPELINE, FIRST, SECOND, "<b>$x$[bold]"]),
        (["plan", "INSTANCE"], [CHEAP, DEAR, PIPELINE, FIRST, SECOND]),
        (["explain", "INSTANCE"], [PIPELINE, f"{FIRST} -> {SECOND}"]),
        (["check", "INSTANCE", "PLAN"], [PIPELINE]),
        (["simulate", "INSTANCE", "PLAN", "--duration", "0.2"], [CHEAP, DEAR, PIPELINE, FIRST, SECOND]),
    ],
    ids=lambda value: value[0],
)
def test_names_are_shown_as_they_are(
    command: list[str],
    shown: list[str],
    files: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    capsys.readouterr()
    given = dict(zip(("INSTANCE", "PLAN"), files, strict=True))
    assert main([given.get(word, word) for word in command]) == 0
    printed = capsys.readouterr().out
    assert [name for name in shown if name not in printed] == []


def test_boxes_are_as_wide_for_wide_letters(files: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["plan", files[0]]) == 0
    lines = capsys.readouterr().out.splitlines()
    boxes = [line for line in lines if line.startswith(("╭", "│", "╰"))]
    assert boxes and {cell_len(line) for line in boxes} == {39}


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_names_are_drawn_as_they_are(ending: str, files: tuple[str, str], tmp_path: Path) -> None:
    for command in (["plan", files[0]], ["simulate", *files, "--duration", "0.2"]):
        path = tmp_path / f"{command[0]}.{ending}"
        assert main([*command, "--figure", str(path)]) == 0
        assert path.stat().st_size > 0


def test_axes_handed_to_a_notebook_draw_names_as_they_are(files: tuple[str, str]) -> None:
    import matplotlib.pyplot as plt

    instance = harpagon.read_instance(files[0])
    plan = harpagon.solve(instance).plan
    assert plan is not None
    report = harpagon.simulate(instance, plan, duration=0.2)
    table = harpagon.compare([instance], ["exact"])
    pictures = (
        lambda: harpagon.plot_plan(instance, plan),
        lambda: harpagon.plot_simulation(report, what="tuples"),
        lambda: harpagon.plot_gaps(table),
        lambda: harpagon.plot_times(table),
    )
    for picture in pictures:
        axes = picture()
        texts = [*axes.texts, axes.title, axes.xaxis.label, *axes.get_yticklabels()]
        assert not any(text.get_parse_math() for text in texts)
        axes.figure.canvas.draw()
    assert any("10^" in label.get_text() and label.get_parse_math() for label in axes.get_xticklabels())
    plt.close("all")


@pytest.mark.filterwarnings("error")
def test_a_picture_without_lines_has_no_legend(files: tuple[str, str]) -> None:
    import matplotlib.pyplot as plt

    instance = harpagon.read_instance(files[0])
    table = harpagon.compare([instance], ["exact"])
    axes = harpagon.plot_gaps(table[table["dispatch"] == "tc"], over="tc")
    assert not axes.lines and axes.get_legend() is None
    plt.close("all")


def test_messages_spell_control_characters_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "\x1b[31mred\x07" / "plan.json"
    assert main(["plan", "worked-example", "--out", str(missing)]) == 4
    complaint = capsys.readouterr().err
    assert "\\x1b[31mred\\x07" in complaint
    assert not {"\x1b", "\x07"} & set(complaint)


def test_figures_are_written_as_people_write_them() -> None:
    values = (0.0, 1234.4, 9999.4, 9999.6, 123456.7, 2e9)
    assert [figure(value) for value in values] == ["0", "1234", "9999", "10,000", "123,457", "2,000,000,000"]
    assert [figure(value, 6) for value in values] == ["0", "1234.4", "9999.4", "9,999.6", "123,457", "2,000,000,000"]
