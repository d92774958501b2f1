"""A release is right where it runs: the example that its manifest keeps must be given the prediction kept beside it.

Numbers may differ in their last digits: another processor adds up in another order, and the release is no other one for
that. What is compared to the last bit is the answer of a service with that of a batch, when it is deployed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, EngineError, Note
from mlops_compiler.serving.request import RequestContract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_compiler.serving.predictor import Predictor

EXPECTED = "expected"
"""Where a manifest keeps the prediction of its example; manifests of earlier versions keep none."""
_RELATIVE, _ABSOLUTE = 1e-6, 1e-9


def expected_of(predictor: Predictor) -> dict[str, Any] | None:
    """Score the example of a release, for its manifest; None where it cannot be: then it is never served either."""
    try:
        rows = RequestContract(predictor.manifest).take(predictor.manifest["example"])
        return predictor.predict(rows.frame).to_dicts()[0]
    except DataError:
        return None


def must_be_as_trained(manifest: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Compare the answer to the example with the prediction that was kept when the release was trained.

    Raises:
        EngineError: It is another one (`service-differs`).
    """
    expected = manifest.get(EXPECTED)
    if expected is None:
        return
    answer = {name: found.get(name) for name in expected}
    if not _alike(expected, answer):
        raise EngineError([_differs(expected, answer)])


def _alike(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(_alike(value, found[name]) for name, value in expected.items())
    if isinstance(expected, float) and isinstance(found, float):
        return math.isclose(expected, found, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return bool(expected == found)


def _differs(expected: Any, found: Any) -> Diagnostic:
    return Diagnostic(
        code="service-differs",
        headline="the release answers its example otherwise than it did when it was trained",
        notes=(Note(text=f"when it was trained: {expected}"), Note(text=f"here: {found}")),
        help="install the versions of the packages that it was trained with, or train it again",
    )
