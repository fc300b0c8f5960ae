"""The verb `adopt`: a spec from a project that runs in Label Studio, and its tasks and answers with it."""

from __future__ import annotations

from pathlib import Path

import yaml
from rich.console import Console

from deployments.cli.flow_verbs import carry_out
from deployments.cli.output import Json
from labelloop.adopt import spec_of
from labelloop.errors import InputError
from labelloop.interface import lint
from labelloop.spec import load_spec
from labelloop.spec.project import project_name
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.settings import load_settings


def adopt(name: str, *, ls_project: int, spec_only: bool = False, as_json: Json = False) -> None:
    """Write the spec of a project that runs in Label Studio, then take its tasks and answers over.

    Its labelling configuration is kept word for word, and so is every answer; a spec that is there already is used as
    it is, so a look at it, a change and a second call are safe.

    Args:
        name: Name of the labelling project to be: small letters, digits and hyphens.
        ls_project: Number of the project in Label Studio.
        spec_only: Write the spec and stop, to look at it first.
        as_json: Print what each stage did as JSON.
    """
    file = f"{project_name(name)}.yaml"
    path = load_settings().projects_dir / file
    if not path.exists():
        _describe(path, ls_project)
    if spec_only:
        return
    from flows.adoption import adopt_project

    carry_out(adopt_project, {"project": name, "ls_project": ls_project}, as_json=as_json)


def _refuse_another(path: Path, xml: str) -> None:
    """Refuse a file of that name that holds something else; a killed run leaves what would be written."""
    if path.exists() and path.read_bytes() != xml.encode():
        raise InputError(
            f"{path} is there already and is not the interface of that project",
            remedy="move it away, or adopt under another name",
        )


def _describe(path: Path, ls_project: int) -> None:
    """Write configuration and spec, the spec last: without it nothing has happened yet."""
    server, xml_path = connect_label_studio(load_settings()), path.with_suffix(".xml")
    project = server.project(ls_project)
    if project is None:
        raise InputError(f"Label Studio has no project {ls_project}", remedy="give the number in its address")
    tasks, xml = server.changed_tasks(ls_project, None), str(project["label_config"])
    document = spec_of(project, tasks, name=path.stem, xml_file=xml_path.name)
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    load_spec(text, name=path.name, read=lambda _: xml)
    try:
        _refuse_another(xml_path, xml)
        xml_path.write_text(xml, encoding="utf-8", newline="")
        path.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise InputError(
            f"{error.filename} cannot be written ({error.strerror})", remedy="look at LABELLOOP_PROJECTS_DIR"
        ) from None
    say = Console(stderr=True, soft_wrap=True, highlight=False).print
    say(f"{path} and {xml_path} are written", markup=False)
    if found := lint(xml):
        told = (
            f"before the next push, mend {len(found)} finding(s) that `labelloop interface validate` names of the XML"
        )
        say(told, markup=False)
