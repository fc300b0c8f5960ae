"""A check, what it found, and how several are carried out; what is checked stands in the other modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from labelloop.errors import LabelloopError

State = Literal["ok", "failed", "not checked"]


@dataclass(frozen=True)
class Finding:
    """What one check found, and what to do about it."""

    check: str
    state: State
    message: str
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """One check: `run` returns a line or raises; it is not tried unless every check in `needs` went well."""

    name: str
    run: Callable[[], str]
    needs: tuple[str, ...] = ()


def carry_out(checks: Iterable[Check]) -> Iterator[Finding]:
    """Try the checks in their order."""
    unproven: set[str] = set()
    for check in checks:
        missing = sorted(unproven & set(check.needs))
        finding = Finding(check.name, "not checked", f"needs {', '.join(missing)}") if missing else _tried(check)
        if finding.state != "ok":
            unproven.add(check.name)
        yield finding


def _tried(check: Check) -> Finding:
    try:
        return Finding(check.name, "ok", check.run())
    except LabelloopError as error:
        return Finding(check.name, "failed", error.what, error.remedy)
