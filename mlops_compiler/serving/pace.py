"""Says whether requests are answered so quickly that the loop which takes them may answer them itself.

A thread takes longer to reach than most models take for a row. A model that takes long would keep all other requests
waiting, so its requests go to threads; one in some dozens is still answered in the loop, to see whether that is so yet.
"""

from __future__ import annotations

_SLOW_SECONDS, _STALLED_SECONDS = 0.005, 0.1
_WEIGHT = 0.15
_TOO_MANY = 0.5
_PROBED = 32


class Pace:
    """Follows how long answers take in the loop."""

    def __init__(self) -> None:
        self._slow, self._away = 0.0, 0

    def stays(self) -> bool:
        """Say of the next request whether the loop answers it."""
        if self._slow <= _TOO_MANY:
            return True
        self._away = (self._away + 1) % _PROBED
        return self._away == 0

    def took(self, seconds: float) -> None:
        """Hear how long the loop took for one."""
        weight = _WEIGHT if seconds < _STALLED_SECONDS else 1.0
        self._slow += weight * ((seconds > _SLOW_SECONDS) - self._slow)
