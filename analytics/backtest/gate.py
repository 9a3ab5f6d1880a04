"""What an audit says of a run: gates, each green, amber or red with its reason."""

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Final, Literal

Verdict = Literal["green", "amber", "red"]
GREEN: Final[Verdict] = "green"
AMBER: Final[Verdict] = "amber"
RED: Final[Verdict] = "red"
SEVERITY: Final = {GREEN: 0, AMBER: 1, RED: 2}


@dataclass(frozen=True)
class Gate:
    """One question put to a run: detail is the reason in one plain sentence, with its numbers."""

    key: str
    label: str
    verdict: Verdict
    detail: str


@dataclass(frozen=True)
class Audit:
    """All gates of a run; the verdict is the worst of theirs."""

    gates: tuple[Gate, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the gates."""
        return max((gate.verdict for gate in self.gates), key=SEVERITY.__getitem__)

    def as_dict(self) -> dict[str, Any]:
        """Return verdict and gates in plain JSON values."""
        return {"verdict": self.verdict, "gates": [asdict(gate) for gate in self.gates]}


def figure(value: float) -> str:
    """Return a ratio as gates write it."""
    return f"{value:.2f}".replace("-", "−") if isfinite(value) else "unknown"


def percent(value: float, digits: int = 0) -> str:
    """Return a fraction as gates write it: 0.0011 → 0.11 %."""
    return f"{100.0 * value:.{digits}f} %".replace("-", "−")
