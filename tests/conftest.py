"""Options and fixtures of the whole suite."""

from __future__ import annotations


def pytest_addoption(parser):
    parser.addoption("--write-golden", action="store_true", help="write the golden files anew instead of comparing")
