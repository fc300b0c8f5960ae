"""Identifiers made unreadable: keyed digests (HMAC-SHA-256) of object keys, subjects, sources and annotators.

The keys come from settings, the check values lie in hot state; both are handed in. A digest stays personal data for
whoever holds the key: it is a pseudonym, not an anonymisation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Mapping

from labelloop.errors import InputError, SuppressionKeyError

_MINIMUM_BYTES = 32
_BLOCK = 64  # bytes SHA-256 works on at a time
# People and platforms write one id in several ways; S3 compares keys byte by byte.
_CANONICAL_KINDS = {"subject", "source"}


class KeyRing:
    """The keys of an installation: one makes new digests, the older ones can still verify.

    >>> ring = KeyRing({"k1": bytes(32)}, current="k1")
    >>> ring.digest("subject", " anna ") == ring.digest("subject", "anna")
    True
    >>> ring.digest("object_key", "anna") == ring.digest("subject", "anna")
    False
    """

    def __init__(self, keys: Mapping[str, bytes], current: str) -> None:
        """Hold the keys by key id; `current` makes new digests.

        Raises:
            SuppressionKeyError: the current key is not among them, or a key has fewer than 32 bytes.
        """
        if current not in keys:
            raise SuppressionKeyError(
                f"the current suppression key {current!r} is not among the keys {sorted(keys)}",
                remedy="mend LABELLOOP_SUPPRESSION_KEY_ID or add the key",
            )
        short = sorted(key_id for key_id, key in keys.items() if len(key) < _MINIMUM_BYTES)
        if short:
            raise SuppressionKeyError(
                f"suppression keys {short} are shorter than 32 bytes", remedy="make longer keys"
            )
        self._keys, self.current = dict(keys), current

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Every key id, sorted."""
        return tuple(sorted(self._keys))

    def digest(self, kind: str, identifier: str, *, key_id: str | None = None) -> str:
        """Return the 64 hexadecimal digits that stand for one identifier.

        Args:
            kind: what is identified; the same text of two kinds has two digests.
            identifier: subjects and sources are brought to Unicode NFC without outer blanks; anything else is exact.
            key_id: an older key; the current one otherwise.

        Raises:
            SuppressionKeyError: there is no such key.
        """
        return self.digests(kind, [identifier], key_id=key_id)[0]

    def digests(self, kind: str, identifiers: Iterable[str], *, key_id: str | None = None) -> list[str]:
        """Return the digests of many identifiers, in their order; see `digest`."""
        inner, outer = self._begun(kind, key_id or self.current)
        form = canonical if kind in _CANONICAL_KINDS else str
        made = []
        for identifier in identifiers:
            message = inner.copy()
            message.update(form(identifier).encode("utf-8", "surrogatepass"))
            digest = outer.copy()
            digest.update(message.digest())
            made.append(digest.hexdigest())
        return made

    def check_values(self) -> dict[str, str]:
        """Return for each key id a value that tells a wrong key from the right one, and nothing of the key."""
        return {key_id: self.digest("key-check", key_id, key_id=key_id) for key_id in self.key_ids}

    def _begun(self, kind: str, key_id: str) -> tuple[hashlib._Hash, hashlib._Hash]:
        """Return both hashes of HMAC-SHA-256 (RFC 2104) after key and kind; copying them beats keying anew."""
        key = self._key(key_id)
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + f"labelloop/{kind}\0".encode())
        return inner, hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def _key(self, key_id: str) -> bytes:
        if key_id not in self._keys:
            raise SuppressionKeyError(
                f"suppression key {key_id!r} is missing", remedy="give every key that ever made a suppression"
            )
        return self._keys[key_id]


def canonical(identifier: str) -> str:
    """Return the one form of a subject's or source's id: Unicode NFC, no outer blanks.

    >>> canonical(" e\u0301 ") == "\u00e9"
    True
    """
    return unicodedata.normalize("NFC", identifier).strip()


def source_identifier(platform: str, identifier: str) -> str:
    """Return the one form of an id a platform gave: `<platform>:<id>`.

    Args:
        platform: its name; case and outer blanks do not count.
        identifier: the id there; brought to Unicode NFC without outer blanks, case kept.

    Raises:
        InputError: either is blank, or the platform's name holds a colon.

    >>> source_identifier(" Flickr", "52 A ")
    'flickr:52 A'
    """
    name, known_as = canonical(platform).lower(), canonical(identifier)
    if not name or ":" in name or not known_as:
        raise InputError("a source is without platform or id, or its platform's name holds a colon", remedy="mend it")
    return f"{name}:{known_as}"


def key_ring(encoded: Mapping[str, str], current: str) -> KeyRing:
    """Return the ring of base64-encoded keys.

    Raises:
        SuppressionKeyError: a key is not base64, too short, or the current one is not there.

    >>> key_ring({"k1": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}, "k1").key_ids
    ('k1',)
    """
    keys = {}
    for key_id, text in encoded.items():
        try:
            keys[key_id] = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise SuppressionKeyError(
                f"suppression key {key_id!r} is not base64", remedy="mend LABELLOOP_SUPPRESSION_KEYS"
            ) from None
    return KeyRing(keys, current)


def verified_check_values(ring: KeyRing, known: Mapping[str, str] | None, used: Collection[str]) -> dict[str, str]:
    """Return the check values to keep, after every key that ever mattered was recognised.

    A wrong key would match nothing and let the erased come back; that is why a run refuses to start instead.

    Args:
        ring: the keys at hand.
        known: the check values kept so far; None before the first run.
        used: ids of the keys that made a digest in force.

    Raises:
        SuppressionKeyError: a key is missing or is not the one that was used, or digests exist but their check
            values do not.

    >>> ring = KeyRing({"k1": bytes(32)}, current="k1")
    >>> verified_check_values(ring, None, used=[]) == ring.check_values()
    True
    """
    present, recorded = ring.check_values(), dict(known or {})
    missing = sorted((set(recorded) | set(used)) - set(present))
    unproven = sorted(set(used) - set(recorded))
    wrong = sorted(key_id for key_id in recorded if present.get(key_id, recorded[key_id]) != recorded[key_id])
    findings = {"missing": missing, "not the key that was used": wrong, "without check value": unproven}
    problems = [f"{what}: {', '.join(ids)}" for what, ids in findings.items() if ids]
    if problems:
        raise SuppressionKeyError(
            "suppression keys cannot be verified (" + "; ".join(problems) + ")",
            remedy="restore the keys in LABELLOOP_SUPPRESSION_KEYS, or suppression-keys.json in hot state",
        )
    return {**recorded, **present}
