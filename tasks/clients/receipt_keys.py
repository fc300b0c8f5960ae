"""The Ed25519 keys of receipts: the private one from the settings, the public ones published beside the receipts.

Public keys are kept for ever in hot state: a receipt can be verified after its key was replaced.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from labelloop.erasure.receipt import Genuine, Signer
from labelloop.errors import ConfigurationError, InputError
from tasks.clients.hot import HotState, update
from tasks.clients.lease import Lease
from tasks.clients.settings import Settings

_PUBLISHED = "receipt-keys.json"
_END = "-----END PUBLIC KEY-----\n"


def signer(settings: Settings) -> Signer:
    """Return what signs receipts.

    Raises:
        ConfigurationError: the key of the settings is not base64 of 32 bytes.
    """
    key = _private(settings)
    return Signer(_key_id(key.public_key()), key.sign)


def public_key(settings: Settings) -> str:
    """Return the public half of the settings' key, as PEM; raises as `signer`."""
    return _pem(_private(settings).public_key())


def publish(hot: HotState, settings: Settings, lease: Lease) -> None:
    """Keep the public key where receipts are looked up; a key once published stays."""
    key_id, pem = signer(settings).key_id, public_key(settings)
    present = hot.get(_PUBLISHED)
    if present is None or key_id not in present.value:
        lease.check()
        update(hot, _PUBLISHED, lambda known: {**(known or {}), key_id: pem})


def published(hot: HotState, settings: Settings) -> str:
    """Return every public key receipts of the lake were signed with, and that of the settings, as PEM texts."""
    present = hot.get(_PUBLISHED)
    known = dict(present.value) if present else {}
    known[signer(settings).key_id] = public_key(settings)
    return "".join(known[key_id] for key_id in sorted(known))


def genuine(pem: str) -> Genuine:
    """Return the judge of signatures that knows these public keys, and no other.

    Args:
        pem: one or more public keys in PEM form.

    Raises:
        InputError: a part of the text is no Ed25519 public key.
    """
    known = {_key_id(key): key for key in _public_keys(pem)}

    def judge(key_id: str, message: bytes, signature: bytes) -> bool:
        if key_id not in known:
            return False
        try:
            known[key_id].verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return judge


def _private(settings: Settings) -> Ed25519PrivateKey:
    try:
        seed = base64.b64decode(settings.receipt_key.get_secret_value(), validate=True)
        return Ed25519PrivateKey.from_private_bytes(seed)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            "LABELLOOP_RECEIPT_KEY is not base64 of 32 bytes",
            remedy="make one with `openssl rand -base64 32` and keep it: it is the private key of receipts",
        ) from None


def _public_keys(pem: str) -> Iterable[Ed25519PublicKey]:
    parts = [f"{part}{_END}" for part in pem.replace("\r\n", "\n").split(_END) if part.strip()]
    try:
        keys = [load_pem_public_key(part.strip().encode()) for part in parts]
    except (ValueError, UnsupportedAlgorithm):
        keys = []
    found = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not found or len(found) != len(parts):
        raise InputError(
            "the file holds no public key of receipts", remedy="give the file `labelloop receipt key` wrote"
        )
    return found


def _key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
