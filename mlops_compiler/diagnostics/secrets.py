"""Passwords stay where they were typed: no message, record, log or page shows one."""

from __future__ import annotations

import re

_IN_URL = re.compile(r"(://[^\s/:@]*:)([^\s/@]+)(?=@)")


def mask(text: str) -> str:
    """Put an asterisk for each character of the passwords that URLs in a text carry; its length stays as it is."""
    return _IN_URL.sub(lambda found: found[1] + "*" * len(found[2]), text)
