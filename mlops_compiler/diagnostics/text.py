"""No text that a recipe or a file holds may steer a terminal or a workflow: what controls them is written out."""

from __future__ import annotations

_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SHOWN = {code: f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" for code in _CONTROLS}  # noqa: PLR2004
_SHOWN_LINES = {code: shown for code, shown in _SHOWN.items() if chr(code) not in "\n\t"}


def one_line(text: str) -> str:
    """Write out every control character, line breaks as well."""
    return text.translate(_SHOWN)


def lines(text: str) -> str:
    """Write out every control character but line breaks and tabs."""
    return text.translate(_SHOWN_LINES)
