"""Reading the file of a labelling project spec, and of its XML; what they may say stands in `labelloop/spec/`."""

from __future__ import annotations

from pathlib import Path

from labelloop.errors import InputError
from labelloop.spec import ProjectSpec, load_spec


def read_spec(path: Path) -> ProjectSpec:
    """Return the spec in a file.

    Raises:
        InputError: the file cannot be read, or is no UTF-8 text.
        SpecError: it is not right; the message lists every problem.
    """
    return load_spec(read_text(path), name=path.name, read=lambda file: read_text(path.parent / file))


def read_text(path: Path) -> str:
    """Return the text of a file as it stands there, line ends too: an interface is taken word for word.

    Raises:
        InputError: the file cannot be read, or is no UTF-8 text.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})", remedy="name a file that is there") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no UTF-8 text", remedy="save it as UTF-8") from None
