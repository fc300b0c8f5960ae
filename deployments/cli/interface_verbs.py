"""The verbs of labelling interfaces: from a spec to Label Studio's XML, and a lint for any such XML."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from deployments.cli.output import Json, print_json
from deployments.local.home import DEFAULT_ROOT
from deployments.local.stack import Stack
from deployments.preview import preview as draw
from labelloop.errors import InputError
from labelloop.interface import Finding, lint
from labelloop.interface import build as build_interface
from tasks.clients.label_studio_interface import refusal_of
from tasks.clients.settings import load_settings
from tasks.clients.specs import read_spec, read_text


def build(spec: Path, *, out: Path | None = None) -> None:
    """Write the labelling configuration of a spec as XML.

    Args:
        spec: The spec, YAML.
        out: File to write; without it standard output.
    """
    xml = build_interface(read_spec(spec).interface)
    if out is None:
        sys.stdout.write(f"{xml}\n")
        return
    _write(out, f"{xml}\n".encode())


def validate(file: Path, *, server: bool = False, json: Json = False) -> None:
    """Name everything that is wrong with a labelling configuration; exit code 1 if anything is.

    Args:
        file: The configuration, XML.
        server: If nothing is found, ask the Label Studio of the settings as well.
        json: Print the findings as JSON.
    """
    xml = read_text(file)
    findings = lint(xml)
    if server and not findings and (refusal := refusal_of(load_settings(), xml)):
        findings.append(Finding(1, "", f"Label Studio refuses it: {refusal}", "mend it as it says"))
    if json:
        print_json([finding.to_dict() for finding in findings])
    else:
        lines = [f"{file}:{f.line}: {f.tag and f'<{f.tag}> '}{f.problem}; {f.remedy}" for f in findings]
        Console(stderr=True, highlight=False).print(
            "\n".join(lines) or f"{file} can be used", markup=False, soft_wrap=True
        )
    if findings:
        sys.exit(1)


def preview(spec: Path, *, out: Path, root: Path = DEFAULT_ROOT) -> None:
    """Write a picture of what annotators would see of the first media of a spec, drawn by the local stack.

    Args:
        spec: The spec, YAML.
        out: File to write, PNG.
        root: Directory that holds the stack's state.
    """
    described = read_spec(spec)
    _write(out, draw(described, load_settings(), Stack(root)))
    Console(stderr=True, highlight=False).print(
        f"{out} shows what annotators would see", markup=False, soft_wrap=True
    )


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise InputError(f"{out} cannot be written ({error.strerror})", remedy="choose another --out") from None
