"""`python -m benchmarks`: run every part, each in a process of its own, and write the page that shows the figures."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

from benchmarks.machine import commit, machine, peak_mib
from benchmarks.page import FIGURES, benchmarks_page
from benchmarks.parts import BY_NAME_ALONE, PARTS, run_part
from benchmarks.sampling_page import sampling_page
from benchmarks.scale_page import scale_page
from docs.agreement_page import agreement_page


def main() -> int:
    """Run the parts asked for and return 1 if any failed; each keeps the figures of the others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS, help="run this part; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing written: does it run?")
    given = parser.parse_args()
    names = given.only or [name for name in PARTS if name not in BY_NAME_ALONE]
    if len(names) > 1:  # so that the peak memory of one part is not that of another
        quick = ["--quick"] if given.quick else []
        return max(
            subprocess.run([sys.executable, "-m", "benchmarks", "--only", name, *quick], check=False).returncode
            for name in names
        )
    figures = _measured(names[0], quick=given.quick)
    print(json.dumps(figures, indent=1))
    if not given.quick:
        _keep(names[0], figures)
    return 0


def _measured(name: str, *, quick: bool) -> dict[str, object]:
    print(f"benchmark {name}", file=sys.stderr)
    measured_on, start = {"commit": commit(), **machine()}, time.perf_counter()
    figures = run_part(name, quick=quick)
    took = {"seconds": round(time.perf_counter() - start, 1), "peak_mib": peak_mib()}
    return {**figures, "measured_on": measured_on | took}


def _keep(name: str, figures: dict[str, object]) -> None:
    """Replace the figures of one part, read anew: another part may have finished meanwhile."""
    known = json.loads(FIGURES.read_text(encoding="utf-8")) | {name: figures}
    ordered = {part: known[part] for part in PARTS if part in known}
    FIGURES.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    pages = {"benchmarks.md": benchmarks_page(), "sampling.md": sampling_page(), "scale.md": scale_page()}
    pages["agreement.md"] = agreement_page()
    for page, text in pages.items():
        FIGURES.with_name(page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
