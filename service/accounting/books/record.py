"""The record of an adjudication: all of its answer but the units, which the accumulators add.

It rides with the ledger entry that moves the units, so that neither is ever without the other.
"""

import base64
import zlib
from typing import Any

import orjson

Draft = dict[str, Any]
"""A record: plain JSON, with the results of matching as they were answered."""

_LEVEL = 1


def pack(draft: Draft) -> str:
    """Write a record as short text."""
    return base64.b64encode(zlib.compress(orjson.dumps(draft), _LEVEL)).decode()


def unpack(record: str) -> Draft:
    """Read a record; one that is not there is empty."""
    if not record:
        return {}
    draft: Draft = orjson.loads(zlib.decompress(base64.b64decode(record)))
    return draft
