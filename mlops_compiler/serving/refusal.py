"""Why a request gets no prediction: an HTTP status, a code, and every fault; never a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_compiler.diagnostics import DataError, Diagnostic, MlopsError, Note
from mlops_compiler.serving.fields import Fault, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import orjson

MAX_BYTES = 2**20
MAX_ROWS = 10_000
"""What a body may have, where the recipe says nothing else."""
MAX_FAULTS = 1000
"""Most faults that one answer lists; it says how many there are where there are more."""

_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _TIMEOUT, _TOO_LARGE, _UNPROCESSABLE = 400, 401, 403, 408, 413, 422
_TOO_MANY, _UNAVAILABLE, _LATE = 429, 503, 504


class RequestRefused(DataError):  # noqa: N818 - it is the answer, not a failure
    """A request that gets no prediction.

    Attributes:
        status: The HTTP status of the answer.
        code: What went wrong, in kebab case.
        faults: Everything that is wrong, in order of rows.
        headers: What the answer says besides: when to come again, how to show a key.
    """

    def __init__(
        self, status: int, code: str, faults: Sequence[Fault], headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.code = code
        self.faults = tuple(faults)
        self.headers = dict(headers or {})
        super().__init__([_diagnostic(code, self.faults)])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.code, self.faults, self.headers)

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
    def not_arrow(cls, found: str) -> RequestRefused:
        """Refuse a stream that cannot be read, or not without danger."""
        fault = Fault(
            code="not-arrow",
            expected="an uncompressed Arrow IPC stream of numbers, texts, truths, days and times",
            found=found,
            help="write it without compression, and cast other types before",
        )
        return cls(_BAD_REQUEST, "not-arrow", [fault])

    @classmethod
    def no_rows(cls, value: object) -> RequestRefused:
        """Refuse JSON that is neither a row nor some rows."""
        found = "an empty list" if value == [] else show(value)
        fault = Fault(code="wrong-type", expected="an object, or a list of objects", found=found)
        return cls(_UNPROCESSABLE, "invalid-request", [fault])

    @classmethod
    def too_many_rows(cls, rows: int, most: int = MAX_ROWS) -> RequestRefused:
        """Refuse a list that is too long."""
        return cls._too_large(f"at most {most:,} rows", f"{rows:,} rows")

    @classmethod
    def too_many_bytes(cls, most: int = MAX_BYTES) -> RequestRefused:
        """Refuse a body that is too large."""
        return cls._too_large(f"at most {most:,} bytes", "more")

    @classmethod
    def _too_large(cls, expected: str, found: str) -> RequestRefused:
        advice = "send fewer rows at once, or score a file with `mlops-compile predict`"
        return cls(_TOO_LARGE, "too-large", [Fault(code="too-large", expected=expected, found=found, help=advice)])

    @classmethod
    def no_key(cls, found: str, scheme: str) -> RequestRefused:
        """Refuse who shows no key, or none that opens anything; never says which of the two parts is wrong."""
        fault = Fault(
            code="no-key", expected="an API key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`", found=found
        )
        return cls(_UNAUTHORIZED, "no-key", [fault], {"WWW-Authenticate": scheme})

    @classmethod
    def lacks_role(cls, role: str, roles: Sequence[str]) -> RequestRefused:
        """Refuse a key that opens other things."""
        fault = Fault(code="lacks-role", expected=f"a key with the role {role}", found=", ".join(roles) or "no role")
        return cls(_FORBIDDEN, "lacks-role", [fault])

    @classmethod
    def too_often(cls, limit: str, seconds: int) -> RequestRefused:
        """Refuse who asks more often than is agreed."""
        fault = Fault(code="too-often", expected=f"at most {limit}", found="more")
        return cls(_TOO_MANY, "too-often", [fault], {"Retry-After": str(max(1, seconds))})

    @classmethod
    def overloaded(cls, most: int) -> RequestRefused:
        """Refuse a request that would only wait."""
        fault = Fault(code="overloaded", expected=f"at most {most} requests at once", found="more")
        return cls(_TOO_MANY, "overloaded", [fault], {"Retry-After": "1"})

    @classmethod
    def too_slow(cls, seconds: float) -> RequestRefused:
        """Refuse a body that does not come."""
        fault = Fault(code="too-slow", expected=f"the whole body within {seconds:g} s", found="less")
        return cls(_TIMEOUT, "too-slow", [fault])

    @classmethod
    def too_late(cls, seconds: float) -> RequestRefused:
        """Give up an answer that takes too long."""
        fault = Fault(code="too-late", expected=f"an answer within {seconds:g} s", found="none", help="send fewer rows")
        return cls(_LATE, "too-late", [fault])

    @classmethod
    def cannot_keep(cls) -> RequestRefused:
        """Say that what was sent could not be kept, and is to be sent again."""
        fault = Fault(code="cannot-keep", expected="a store that can be written", found="none", help="send it again")
        return cls(_UNAVAILABLE, "cannot-keep", [fault], {"Retry-After": "10"})

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
