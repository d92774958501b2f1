"""Every colour of the page, named by what it means: one for light screens and paper, one for dark screens.

Charts are drawn with the light colours; the style sheet swaps each for its dark one by its exact value. So no
two colours may share a light value, and a chart may use no other.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """A colour and its twin for dark screens, both ``#rrggbb``."""

    name: str
    light: str
    dark: str


PALETTE = (
    Colour(name="paper", light="#fdfdfc", dark="#15181c"),
    Colour(name="card", light="#f4f5f3", dark="#1e2228"),
    Colour(name="line", light="#d9dcd8", dark="#383f47"),
    Colour(name="ink", light="#1c2126", dark="#e7eaed"),
    Colour(name="muted", light="#5a636d", dark="#a3adb8"),
    Colour(name="accent", light="#0f5fa8", dark="#78b7f4"),
    Colour(name="warm", light="#a8480c", dark="#f2a66a"),
    Colour(name="good", light="#14703f", dark="#63d095"),
    Colour(name="bad", light="#b0241c", dark="#ff8f85"),
    Colour(name="violet", light="#6a45b0", dark="#bba5f7"),
)

LIGHT = {colour.name: colour.light for colour in PALETTE}
