"""The exceptions that a user can cause or mend; anything else is a bug.

PlumblineError
├── InputError (ValueError)           what was given cannot be used
│   ├── UnknownKeyError               no such key in a registry
│   └── NoPortfolioError              limits that no portfolio obeys
└── MissingDataError (LookupError)    the data asked for is not there
"""

from collections.abc import Iterable
from difflib import get_close_matches

LISTED = 25  # keys that a message names; more would bury it
REPEATED = 200  # characters of a refused value that a message repeats


def shortened(value: str) -> str:
    """Return the beginning of a refused value, as a message repeats it."""
    return value if len(value) <= REPEATED else f"{value[:REPEATED]}…"


class PlumblineError(Exception):
    """Root of every error that is explained to the user in one sentence."""


class InputError(PlumblineError, ValueError):
    """A value that cannot be used: names the field, what was got, what is allowed and how to mend it."""

    def __init__(self, field: str, *, got: object, allowed: str, fix: str = "") -> None:
        self.field, self.got, self.allowed, self.fix = field, got, allowed, fix
        super().__init__(f"{field}: got {shortened(repr(got))}; allowed: {allowed}." + (f" {fix}" if fix else ""))


class UnknownKeyError(InputError):
    """A key that a registry does not hold; suggests the nearest one."""

    def __init__(self, kind: str, key: object, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(str(key), names, n=1)
        fix = f"Did you mean {near[0]!r}?" if near else ""
        listed = ", ".join(names[:LISTED]) + (f" … ({len(names)} in all)" if len(names) > LISTED else "")
        super().__init__(kind, got=key, allowed=listed or "(none)", fix=fix)


class NoPortfolioError(InputError):
    """Limits on weights that contradict each other; `analytics.portfolio.infeasibility` says which."""

    def __init__(self) -> None:
        super().__init__(
            "constraints", got="limits that contradict each other", allowed="limits that a portfolio can obey"
        )


class MissingDataError(PlumblineError, LookupError):
    """The data asked for is not in the store, or too short to answer."""
