"""Why a request gets no prediction: an HTTP status, a code, and every fault; never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, MlopsError, Note
from mlops_compiler.serving.fields import Fault, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    import orjson

MAX_BYTES = 2**20
MAX_ROWS = 10_000
MAX_FAULTS = 1000
"""Most faults that one answer lists; it says how many there are where there are more."""

_BAD_REQUEST, _TOO_LARGE, _UNPROCESSABLE = 400, 413, 422


class RequestRefused(DataError):  # noqa: N818 - it is the answer, not a failure
    """A request that gets no prediction.

    Attributes:
        status: The HTTP status of the answer.
        code: What went wrong, in kebab case.
        faults: Everything that is wrong, in order of rows.
    """

    def __init__(self, status: int, code: str, faults: Sequence[Fault]) -> None:
        self.status = status
        self.code = code
        self.faults = tuple(faults)
        super().__init__([_diagnostic(code, self.faults)])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.code, self.faults)

    def to_json(self) -> dict[str, Any]:
        """Write the body of the answer."""
        body: dict[str, Any] = {
            "error": self.code,
            "faults": [item.to_json() for item in self.faults[:MAX_FAULTS]],
        }
        return body | ({"faults_in_all": len(self.faults)} if len(self.faults) > MAX_FAULTS else {})

    @classmethod
    def broken(cls, faults: Sequence[Fault]) -> RequestRefused:
        """Refuse rows that do not keep the contract."""
        return cls(_UNPROCESSABLE, "invalid-request", faults)

    @classmethod
    def not_json(cls, error: orjson.JSONDecodeError) -> RequestRefused:
        """Refuse a body that does not parse."""
        return cls(_BAD_REQUEST, "not-json", [Fault(code="not-json", expected="JSON", found=str(error))])

    @classmethod
    def no_rows(cls, value: object) -> RequestRefused:
        """Refuse JSON that is neither a row nor some rows."""
        found = "an empty list" if value == [] else show(value)
        fault = Fault(code="wrong-type", expected="an object, or a list of objects", found=found)
        return cls(_UNPROCESSABLE, "invalid-request", [fault])

    @classmethod
    def too_many_rows(cls, rows: int) -> RequestRefused:
        """Refuse a list that is too long."""
        return cls._too_large(f"at most {MAX_ROWS:,} rows", f"{rows:,} rows")

    @classmethod
    def too_many_bytes(cls) -> RequestRefused:
        """Refuse a body that is too large."""
        return cls._too_large(f"at most {MAX_BYTES:,} bytes", "more")

    @classmethod
    def _too_large(cls, expected: str, found: str) -> RequestRefused:
        advice = "send fewer rows at once, or score a file with `mlops-compile predict`"
        return cls(_TOO_LARGE, "too-large", [Fault(code="too-large", expected=expected, found=found, help=advice)])

    @classmethod
    def cannot_score(cls, error: MlopsError) -> RequestRefused:
        """Refuse rows that keep the contract, and that the preparation or the model cannot take."""
        faults = [
            Fault(
                code=item.code,
                expected="rows that the release can score",
                found=" ".join([item.headline, *(f"({note.text})" for note in item.notes)]),
            )
            for item in error.diagnostics
        ]
        return cls(_UNPROCESSABLE, "cannot-score", faults)


def _diagnostic(code: str, faults: Sequence[Fault]) -> Diagnostic:
    return Diagnostic(
        code=code,
        headline=f"the request is refused: {len(faults)} {'fault' if len(faults) == 1 else 'faults'}",
        notes=tuple(
            Note(text=f"row {item.row}, {item.field}: expected {item.expected}, found {item.found}")
            for item in faults[:5]
        ),
    )
