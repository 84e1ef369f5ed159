"""A withdrawal written down, where there is no address to name what is withdrawn."""

from typing import Any

import orjson


def write_withdrawal(authorization_id: str, version: int) -> bytes:
    """The withdrawal as JSON, which cannot be taken for an authorization."""
    return orjson.dumps(
        {"authorization_id": authorization_id, "version": version, "withdraw": True}
    )


def read_withdrawal(content: bytes) -> tuple[str, int] | None:
    """The id and the version that are withdrawn; None for anything else."""
    try:
        written: Any = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(written, dict) or written.get("withdraw") is not True:
        return None
    name, version = written.get("authorization_id"), written.get("version")
    if not isinstance(name, str) or type(version) is not int or version < 1:
        return None
    return name, version
