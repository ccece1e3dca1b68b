"""Keys of dicts and items of sets: those that are made to collide are refused, going in as coming out.

Python's texts have a secret in their hash; its numbers, and tuples of them, have none, and whoever writes a token
chooses where in a dict they land.
"""

from collections import Counter
from collections.abc import Collection
from typing import Any, Final

#: A dict of n keys with one hash takes n * n steps. Of keys that nobody chose only those with -1 and -2 in them have:
#: 16 tuples of four numbers.
MOST_EQUAL: Final = 16
#: So may n keys of different hashes, each of which is looked for where others are already: 2048 take 3 ms, and all
#: dicts of a request less than a second.
MOST_CHOSEN: Final = 2048


def fault_of(keys: Collection[Any]) -> str | None:
    """What is wrong with these keys, or None. TypeError for what cannot be hashed."""
    if len(keys) <= MOST_EQUAL:
        return None
    hashes = Counter(hash(key) for key in keys if type(key) not in (str, bytes))
    if hashes and max(hashes.values()) > MOST_EQUAL:
        return f"more than {MOST_EQUAL} keys with one hash"
    # Numbers one after another, such as those of frames, each have a place of their own.
    if len(hashes) > MOST_CHOSEN and max(hashes) - min(hashes) >= 2 * len(keys):
        return f"more than {MOST_CHOSEN} keys that are neither text nor numbers one after another"
    return None
