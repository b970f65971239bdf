"""Figures in text, as people write them."""

from __future__ import annotations

_APART, _POWER = 9999.5, 1e13
"""From here on thousands are set apart, and figures are powers of ten."""


def figure(value: float, digits: int = 4) -> str:
    """A rate with so many significant digits, whole digits never dropped: 10,000 and not 1e+04.

    Examples
    --------
    >>> figure(1234.56), figure(12345.67), figure(12345.67, 6), figure(2e9)
    ('1235', '12,346', '12,345.7', '2,000,000,000')
    """
    if abs(value) >= _POWER:
        return f"{value:.{digits}g}"
    text = f"{value:,.{digits}g}" if abs(value) < 10**digits - 0.5 else f"{value:,.0f}"
    return text if abs(value) >= _APART else text.replace(",", "")
