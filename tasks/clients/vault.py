"""Sealing: bytes encrypted with a key that lies apart from them, so that shredding the key destroys them everywhere.

Used for erasure plans and requests and for the payloads of quarantine. The vault must not be backed up with the lake.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from labelloop.errors import Conflict, ErasedError, InputError
from tasks.clients.hot import HotState

_NONCE = 12  # bytes; random, which AES-GCM allows for 2^32 messages a key


def sealed(vault: HotState, key_name: str, plaintext: bytes) -> bytes:
    """Return the plaintext encrypted and authenticated (AES-256-GCM) under a key of the vault, made when absent."""
    return sealed_many(vault, key_name, [plaintext])[0]


def sealed_many(vault: HotState, key_name: str, plaintexts: Iterable[bytes]) -> list[bytes]:
    """Return each plaintext sealed under the same key, which is fetched once."""
    cipher = AESGCM(_key(vault, key_name) or _new_key(vault, key_name))
    nonces = ((os.urandom(_NONCE), text) for text in plaintexts)
    return [nonce + cipher.encrypt(nonce, text, key_name.encode()) for nonce, text in nonces]


def opened(vault: HotState, key_name: str, ciphertext: bytes) -> bytes:
    """Return what was sealed under the key.

    Raises:
        ErasedError: the key was shredded.
        InputError: the bytes were changed, or sealed under another key.
    """
    return opened_many(vault, key_name, [ciphertext])[0]


def opened_many(vault: HotState, key_name: str, ciphertexts: Iterable[bytes]) -> list[bytes]:
    """Return what was sealed under the same key, which is fetched once; raises as `opened`."""
    key = _key(vault, key_name)
    if key is None:
        raise ErasedError("the key of sealed bytes was shredded", remedy="nothing can bring them back")
    cipher, name = AESGCM(key), key_name.encode()
    try:
        return [cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], name) for sealed in ciphertexts]
    except InvalidTag:
        raise InputError(
            "sealed bytes were changed or belong to another key", remedy="restore lake and vault from the same time"
        ) from None


def shred(vault: HotState, key_name: str) -> None:
    """Destroy the key, and with it everything sealed under it; an absent key is fine."""
    vault.delete(_place(key_name))


def is_shredded(vault: HotState, key_name: str) -> bool:
    """Return whether nothing sealed under the key can be opened any more."""
    return vault.get(_place(key_name)) is None


def _place(key_name: str) -> str:
    return f"keys/{key_name}.json"


def _key(vault: HotState, key_name: str) -> bytes | None:
    found = vault.get(_place(key_name))
    return base64.b64decode(found.value["key"]) if found else None


def _new_key(vault: HotState, key_name: str) -> bytes:
    key = AESGCM.generate_key(bit_length=256)
    try:
        vault.create(_place(key_name), {"key": base64.b64encode(key).decode()})
    except Conflict:
        theirs = _key(vault, key_name)  # another run made it at this moment
        if theirs is None:
            raise
        return theirs
    return key
