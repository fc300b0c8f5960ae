"""`labelloop run`: any flow, here and now, without a deployment or a worker."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from typing import Annotated, Any

from cyclopts import Parameter
from pydantic import TypeAdapter, ValidationError

from deployments.cli.output import print_json
from labelloop.errors import InputError


def run(
    flow: str,
    *,
    parameter: Annotated[tuple[str, ...], Parameter(name=["--parameter", "-p"])] = (),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Run a flow in this process and show what each stage did.

    Args:
        flow: name of the flow: weekly-batch, nightly-agreement, retrain-check, sync, erase, purge, erasure-audit,
            export, refresh-tasks, report, janitor.
        parameter: key=value, repeatable; the value is JSON or text, a dot reaches into options
            (-p project=digits -p options.batch_size=20).
        as_json: print the summaries as JSON.
    """
    from flows.table import FLOWS

    if flow not in FLOWS:
        raise InputError(f"there is no flow {flow!r}", remedy=f"one of {', '.join(sorted(FLOWS))}")
    module, _, name = FLOWS[flow].partition(":")
    chosen = getattr(importlib.import_module(module), name)
    carry_out(chosen, _checked(chosen, parse_parameters(parameter)), as_json=as_json)


def carry_out(flow: Any, parameters: dict[str, Any], *, as_json: bool) -> None:
    """Run a flow and show the summary of each stage; raises as its stages do, or as `prefect_errors`."""
    from deployments.prefect_api import prefect_errors

    with prefect_errors():
        summaries = flow(**parameters)
    if as_json:
        print_json(summaries)
        return
    from labelloop.summary import Summary

    for summary in summaries:
        sys.stdout.write(Summary.model_validate(summary).line() + "\n")


def parse_parameters(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Return flow parameters from `key=value` texts.

    Raises:
        InputError: a text has no `=`, or a key is given twice.

    >>> parse_parameters(("project=digits", "options.batch_size=20"))
    {'project': 'digits', 'options': {'batch_size': 20}}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise InputError(f"parameter {pair!r} is not of the form key=value", remedy="write -p project=NAME")
        *path, last = key.split(".")
        place = found
        for part in path:
            inner = place.setdefault(part, {})
            place = inner if isinstance(inner, dict) else {last: inner}
        if last in place:
            raise InputError(f"parameter {key!r} is given twice", remedy="give it once")
        place[last] = _value(text)
    return found


def _checked(flow: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters, once they fit the flow: Prefect would log a run that fails with them, values and all."""
    signature = inspect.signature(flow.fn, eval_str=True)
    try:
        bound = signature.bind(**parameters)
        for name, value in bound.arguments.items():
            TypeAdapter(signature.parameters[name].annotation).validate_python(value)
    except TypeError as error:
        takes = f"give {', '.join(f'-p {name}=...' for name in signature.parameters)}"
        raise InputError(f"flow {flow.name!r}: {error}", remedy=takes) from None
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, (name, *e['loc'])))}: {e['msg']}" for e in error.errors()]
        raise InputError(
            f"flow {flow.name!r} refuses a parameter: {'; '.join(problems)}", remedy="give a value it takes"
        ) from None
    return parameters


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
