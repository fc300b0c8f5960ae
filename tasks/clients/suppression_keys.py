"""The keys that digests are made with: taken from the settings, and recognised by the check values in hot state."""

from __future__ import annotations

from collections.abc import Collection

from labelloop.identity import KeyRing, key_ring, verified_check_values
from tasks.clients.hot import HotState
from tasks.clients.settings import Settings

CHECK_VALUES = "suppression-keys.json"


def keys_of(settings: Settings) -> KeyRing:
    """Return the keys of the settings, not yet recognised.

    Raises:
        SuppressionKeyError: a key is not base64, too short, or the current one is not there.
    """
    encoded = {key_id: key.get_secret_value() for key_id, key in settings.suppression_keys.items()}
    return key_ring(encoded, settings.suppression_key_id)


def recognised(hot: HotState, keys: KeyRing, used: Collection[str], *, lake_in_use: bool) -> dict[str, str]:
    """Return the check values to keep, after every key that ever mattered was recognised; nothing is written.

    Args:
        hot: where the check values are kept.
        keys: the keys at hand.
        used: ids of the keys that made a digest in force.
        lake_in_use: a lake in use without check values has lost them: whichever key is set could then pass.

    Raises:
        SuppressionKeyError: a key is missing or wrong, or the check values are gone.
    """
    kept = hot.get(CHECK_VALUES)
    lost = kept is None and lake_in_use
    return verified_check_values(keys, kept.value if kept else None, keys.key_ids if lost else used)
