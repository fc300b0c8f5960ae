"""The verbs of labelling interfaces: from a spec to Label Studio's XML, and a lint for any such XML."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from deployments.cli.output import Json, print_json
from labelloop.errors import InputError
from labelloop.interface import build as build_interface
from labelloop.interface import lint
from labelloop.spec import load_spec


def build(spec: Path, *, out: Path | None = None) -> None:
    """Write the labelling configuration of a spec as XML.

    Args:
        spec: The spec, YAML.
        out: File to write; without it standard output.
    """
    xml = build_interface(load_spec(_text(spec), name=str(spec)).interface)
    if out is None:
        sys.stdout.write(f"{xml}\n")
        return
    try:
        out.write_text(f"{xml}\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror})", remedy="choose another --out") from None


def validate(file: Path, *, json: Json = False) -> None:
    """Name everything that is wrong with a labelling configuration; exit code 1 if anything is.

    Args:
        file: The configuration, XML.
        json: Print the findings as JSON.
    """
    findings = lint(_text(file))
    if json:
        print_json([finding.to_dict() for finding in findings])
    else:
        lines = [f"{file}:{f.line}: <{f.tag}> {f.problem}; {f.remedy}" for f in findings]
        Console(stderr=True, highlight=False).print(
            "\n".join(lines) or f"{file} can be used", markup=False, soft_wrap=True
        )
    if findings:
        sys.exit(1)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InputError(f"{path} cannot be read ({reason})", remedy="name a file that is there") from None
