"""What is done back, and when."""

from __future__ import annotations

import pytest

from mlops_compiler.undo import on_failure


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_whatever_fails_is_undone_and_goes_on(failure):
    undone = []
    with pytest.raises(type(failure)) as raised, on_failure(undone.append, 1):
        raise failure
    assert raised.value is failure
    assert undone == [1]


def test_what_ends_well_or_returns_stays():
    undone = []

    def early():
        with on_failure(undone.append, 1):
            return 7

    with on_failure(undone.append, 2):
        pass
    assert early() == 7
    assert undone == []
