"""The verbs of labelling project specs: one to begin with, one to check, one that shows every field."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from deployments.cli.output import Json, print_json
from deployments.cli.templates import fill
from labelloop.errors import InputError, SpecError
from labelloop.interface import build
from labelloop.spec import json_schema
from tasks.clients.specs import read_spec

_PROJECTS = Path("deployments/projects")


def init(
    name: str,
    *,
    template: str,
    out: Path | None = None,
    projects_dir: Annotated[Path, Parameter(env_var="LABELLOOP_PROJECTS_DIR")] = _PROJECTS,
) -> None:
    """Write a commented spec to edit; a file that is there already stays as it is.

    Args:
        name: Name of the project: small letters, digits and hyphens.
        template: What is asked, such as image-classification; a name that is none lists them all.
        out: File to write; without it NAME.yaml in the folder of specs.
        projects_dir: Folder of specs.
    """
    text = fill(template, name)
    path = out or projects_dir / f"{name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(f"{path} is there already", remedy="remove it, or choose another --out") from None
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})", remedy="choose another --out") from None
    _say(f"{path} is written: edit it, then `labelloop spec check {path}`")


def check(file: Path, *, json: Json = False) -> None:
    """Say that a spec is right; exit code 2 with every problem when it is not.

    Args:
        file: The spec, YAML.
        json: Print the problems as JSON, each with its field; an empty list when there is none.
    """
    part = "spec"
    try:
        spec = read_spec(file)
        part = "interface"
        build(spec.interface)  # names the texts that Label Studio would not show as they are, and findings of an XML
    except SpecError as error:
        if not json:
            raise
        print_json(error.facts.get("problems") or [{"field": part, "problem": str(error)}])
        sys.exit(2)
    if json:
        print_json([])
    else:
        _say(f"{file} is right: project {spec.name}, {spec.interface.media}, batches of {spec.sampling.batch_size}")


def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    print_json(json_schema())


def _say(text: str) -> None:
    Console(soft_wrap=True, highlight=False).print(text, markup=False)
