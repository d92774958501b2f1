"""What the documentation says of each code: a row of `diagnostics.md`, and for many a section of `diagnostics/*.md`.

The pages ship with the package, so that `explain` tells of the version that is installed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TOPIC = re.compile(r"^## (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is known of a code.

    Attributes:
        code: The code.
        topic: The part of the lifecycle or the tool that it belongs to.
        means: What it means, in a sentence or two; Markdown.
        mend: What can be done; Markdown.
        section: The whole story, with a wrong and a right recipe; Markdown. None where the sentence says it all.
    """

    code: str
    topic: str
    means: str
    mend: str
    section: str | None


def read_pages(folder: Path) -> dict[str, Page]:
    """Read the pages of a folder ``docs``, in the order of `diagnostics.md`.

    Raises:
        OSError: They are not there.
    """
    sections = dict(_sections(folder / "diagnostics"))
    return {
        code: Page(code=code, topic=topic, means=_plain(means), mend=_plain(mend), section=sections.get(code))
        for topic, text in _parts((folder / "diagnostics.md").read_text(encoding="utf-8"))
        for code, means, mend in _ROW.findall(text)
    }


def _sections(folder: Path) -> list[tuple[str, str]]:
    return [
        (code, text.strip())
        for page in sorted(folder.glob("*.md"))
        for code, text in _parts(page.read_text(encoding="utf-8"))
    ]


def _parts(text: str) -> list[tuple[str, str]]:
    parts = _TOPIC.split(text)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _plain(text: str) -> str:
    """Take the links out of a sentence: in a terminal they lead nowhere."""
    return _LINK.sub(r"\1", text)
