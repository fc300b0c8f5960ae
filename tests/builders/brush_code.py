"""Masks as brushes leave them: bytes in the run-length code that `labelloop.geometry.brush` describes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby


def brush_code(values: Sequence[int]) -> list[int]:
    """Return the code of bytes: red, green, blue, alpha and on with the next pixel; no run is longer than 65,536."""
    runs = (f"111{len(list(run)) - 1:016b}{value:08b}" for value, run in groupby(values))
    bits = f"{len(values):032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}{''.join(runs)}"
    padded = bits.ljust(len(bits) + -len(bits) % 8, "0")
    return [int(padded[at : at + 8], 2) for at in range(0, len(padded), 8)]
