"""Finds the rows of a CSV file that have more or fewer fields than its header, by line number.

Slow beside Polars, hence asked only where something already looks wrong.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MOST = 100


def ragged_rows(path: Path, separator: str, most: int = MOST) -> list[tuple[int, int, int]]:
    """List ragged rows.

    Returns:
        At most `most` triples: the line in the file (from 1), the fields found, the fields in the header.

    Raises:
        UnicodeDecodeError: The file is not UTF-8.
    """
    found: list[tuple[int, int, int]] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator)
        wanted = len(next(reader, []))
        for row in reader:
            if row and len(row) != wanted:
                found.append((reader.line_num, len(row), wanted))
                if len(found) == most:
                    break
    return found
