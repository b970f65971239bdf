"""Figures as files, and their texts as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harpagon.instances.files.writing import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


def save_figure(figure: Figure, path: Path, **options: Any) -> None:
    """Write a figure, whole or not at all, in the format that its ending names."""
    literal(figure)
    with replacing(path) as unfinished:
        figure.savefig(unfinished, **options)


def literal(artist: Artist) -> None:
    """Have the texts of a figure, or of axes, shown as they are: a ``$`` in a name begins no formula.

    Only the powers of ten beside logarithmic axes stay formulas.
    """
    from matplotlib.axis import Axis
    from matplotlib.text import Text

    axes = [axis for axis in artist.findobj(Axis) if axis.get_scale() != "linear"]
    powers = {text for axis in axes for text in axis.findobj(Text) if text is not axis.get_label()}
    for text in artist.findobj(Text):
        if text not in powers:
            text.set_parse_math(False)
