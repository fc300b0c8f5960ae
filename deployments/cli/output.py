"""What verbs share on the way out: the `--json` option and the one way to print JSON."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON.")]


def print_json(value: Any) -> None:
    """Write the value to standard output as indented JSON; floats that are no numbers are refused."""
    sys.stdout.write(json.dumps(value, indent=1, allow_nan=False) + "\n")
