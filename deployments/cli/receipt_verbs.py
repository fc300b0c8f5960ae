"""The verbs of receipts: write one to a file, write the public keys, verify a file without any server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from deployments.cli.any_project import world_of
from labelloop.erasure.receipt import read_receipt, receipt_text
from labelloop.erasure.receipt import verify as verify_receipt
from labelloop.errors import InputError
from tasks.clients.receipt_keys import genuine, public_key, published
from tasks.clients.receipts import receipts
from tasks.clients.settings import load_settings

ProjectName = Annotated[str | None, Parameter(help="Any labelling project; may be left out if there is only one.")]


def show(request_id: str, project: ProjectName = None, *, out: Path | None = None) -> None:
    """Write the newest receipt of a request as JSON.

    Args:
        request_id: as `erase status` shows it.
        project: any labelling project of the lake.
        out: file to write; standard output if left out.
    """
    found = [r for r in receipts(world_of(project).lake) if r.request_id == request_id]
    if not found:
        raise InputError("there is no receipt of this request", remedy="see `labelloop erase status`")
    _write(receipt_text(found[-1]), out)


def key(project: ProjectName = None, *, out: Path | None = None) -> None:
    """Write every public key that receipts of the lake were signed with, as PEM.

    Args:
        project: any labelling project of the lake.
        out: file to write; standard output if left out.
    """
    world = world_of(project)
    _write(published(world.hot, world.settings), out)


def verify(file: Path, *, key: Path | None = None) -> None:
    """Say whether a receipt is exactly as it was issued, exit code 1 if not; needs a public key and no network.

    Args:
        file: a receipt as `receipt show` writes it.
        key: public keys as `receipt key` writes them; the key of this installation if left out.
    """
    receipt = read_receipt(_bytes(file))
    pem = _bytes(key).decode("ascii", "replace") if key else public_key(load_settings())
    judge = genuine(pem)
    try:
        verify_receipt(receipt, judge)
    except InputError as refused:
        sys.stderr.write(f"{refused}\n")
        sys.exit(1)
    told = "all of it is erased" if receipt.outcome == "erased" else "some of it is blocked by a hold"
    sys.stdout.write(f"genuine: request {receipt.request_id}, issued {receipt.issued_at.isoformat()}, {told}\n")


def _write(text: str, out: Path | None) -> None:
    if out:
        out.write_bytes(text.encode())
    else:
        sys.stdout.write(text)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise InputError("the file cannot be read", remedy="give an existing file") from None
