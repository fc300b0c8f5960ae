"""One thing that is wrong with a labelling configuration."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from lxml import etree


@dataclass(frozen=True)
class Finding:
    """One thing to mend: where, what, how."""

    line: int
    tag: str
    problem: str
    remedy: str

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)


def finding(element: Any, problem: str, remedy: str) -> Finding:
    """Return a finding at the element."""
    return Finding(element.sourceline or 1, etree.QName(element).localname, problem, remedy)
