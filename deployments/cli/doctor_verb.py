"""The verb `doctor`: everything that has to be right before a flow can run, a line each."""

from __future__ import annotations

import dataclasses
import sys

from rich.console import Console
from rich.text import Text

from deployments.cli.output import Json, print_json
from deployments.doctor.check import Finding
from deployments.doctor.diagnosis import diagnose

_COLOURS = {"ok": "green", "failed": "red", "not checked": "yellow"}


def doctor(project: str | None = None, *, json: Json = False) -> None:
    """Check settings, servers, keys and specs one by one; exit code 1 unless all are right.

    Args:
        project: Only this project; without it every one that has a spec.
        json: Print the findings as JSON: check, state (ok, failed, not checked), message, remedy.
    """
    findings = []
    with Console(stderr=True).status("checking"):
        for finding in diagnose(project):
            findings.append(finding)
            if not json:
                _show(finding)
    if json:
        print_json([dataclasses.asdict(finding) for finding in findings])
    if any(finding.state != "ok" for finding in findings):
        sys.exit(1)


def _show(finding: Finding) -> None:
    text = f"{finding.message}; {finding.remedy}" if finding.remedy else finding.message
    line = Text.assemble((f"{finding.state:<12}", _COLOURS[finding.state]), f"{finding.check}: {text}")
    Console(soft_wrap=True, highlight=False).print(line)
