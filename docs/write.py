"""Writes the pages that are derived from code: `python -m docs.write`.

A test compares each page with what its function returns now.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic_core import PydanticUndefined

from benchmarks.page import benchmarks_page
from benchmarks.sampling_page import sampling_page
from benchmarks.scale_page import scale_page
from docs.agreement_page import agreement_page
from labelloop.contracts.documentation import tables_page
from tasks.clients.settings import Settings

ROOT = Path(__file__).parent.parent


def env_example() -> str:
    """Return `.env.example`: every setting with its meaning, those with a default commented out."""
    lines = ["# Copy to .env, which git ignores, and fill in. Written by `python -m docs.write`; do not edit."]
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        required = default is PydanticUndefined
        shown = "" if required or default is None or default == () else str(default)
        lines += ["", f"# {field.description}", f"{'' if required else '# '}LABELLOOP_{name.upper()}={shown}"]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    ".env.example": env_example,
    "docs/agreement.md": agreement_page,
    "docs/benchmarks.md": benchmarks_page,
    "docs/sampling.md": sampling_page,
    "docs/scale.md": scale_page,
    "docs/tables.md": tables_page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")
