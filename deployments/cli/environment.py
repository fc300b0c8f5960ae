"""The variables of the local stack, taken over by every command before Prefect is imported.

Prefect reads its settings while it is imported, so this must come first.
"""

from __future__ import annotations

import os
from pathlib import Path

from deployments.local.home import DEFAULT_ROOT
from deployments.local.owner_only import read_variables

ENVIRONMENT_FILE_VARIABLE = "LABELLOOP_ENVIRONMENT_FILE"


def load(path: Path | None = None) -> None:
    """Set the variables of the file in our environment; what is set already wins.

    The file is `path`, else the one LABELLOOP_ENVIRONMENT_FILE names, else `.local/env` of the checkout; a missing
    one sets nothing, since a shared installation sets the variables itself.
    """
    named = os.environ.get(ENVIRONMENT_FILE_VARIABLE)
    for name, value in read_variables(path or Path(named or DEFAULT_ROOT / "env")).items():
        os.environ.setdefault(name, value)
