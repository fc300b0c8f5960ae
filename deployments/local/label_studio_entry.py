"""Start Label Studio as its own command does, with access log lines that name no object.

Run by the Python of `.venv-label-studio`, which knows nothing of labelloop. Label Studio asks for media
as `/resolve/?fileuri=<base64 of the key>` and its server logs each request: the query is cut off.
"""

from __future__ import annotations

import logging
import re
import sys

from label_studio.server import main  # type: ignore[import-not-found]  # lives in the other environment


def without_query(record: logging.LogRecord) -> bool:
    """Cut the query off every address in a log record and let the record pass."""
    if isinstance(record.args, tuple):
        record.args = tuple(re.sub(r"\?\S*", "", str(argument)) for argument in record.args)
    return True


if __name__ == "__main__":
    for name in ("django.server", "django.request"):
        logging.getLogger(name).addFilter(without_query)
    sys.exit(main())
