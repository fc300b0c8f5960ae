"""Audit membership: a permanent random number decides, for the life of a reference.

Who is audited must not depend on a model, a round or the order of arrival; otherwise figures from the
audit would say nothing of the whole.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def permanent_numbers(keys: pa.ChunkedArray | pa.Array, salt: str) -> NDArray[np.float64]:
    """A number in [0, 1) for each key: the same key and salt give the same number, always and anywhere.

    The leading 53 bits of BLAKE2b over the key, keyed with the salt: uniform, and not to be foretold
    without the salt. Source: permanent random numbers, Ohlsson, 1995.

    >>> permanent_numbers(pa.array(["a", "a", "b"]), "salt").round(3).tolist()
    [0.115, 0.115, 0.237]
    """
    keyed = hashlib.blake2b(key=hashlib.sha256(salt.encode()).digest(), digest_size=8)
    digests = bytearray()
    for key in keys.cast(pa.string()).to_pylist():
        state = keyed.copy()
        state.update(key.encode())
        digests += state.digest()
    leading = np.frombuffer(bytes(digests), dtype=">u8") >> np.uint64(11)
    return leading.astype(np.float64) * 2.0**-53


def in_audit(keys: pa.ChunkedArray | pa.Array, salt: str, rate: float) -> NDArray[np.bool_]:
    """Whether each key belongs to the audit: its permanent number is below the rate.

    Raising the rate only adds members.

    >>> in_audit(pa.array(["a", "b"]), "salt", 0.2).tolist()
    [True, False]
    """
    return permanent_numbers(keys, salt) < rate


def lowest(keys: pa.ChunkedArray | pa.Array, n: int, salt: str) -> NDArray[np.intp]:
    """Rows of the n lowest permanent numbers, lowest first: an even draw.

    >>> lowest(pa.array(["a", "b"]), 1, "salt").tolist()
    [0]
    """
    return np.argsort(permanent_numbers(keys, salt), kind="stable")[:n]
