"""The scripts of Redis: where they are, how those that move units are called and refuse."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from redis.commands.core import AsyncScript
from redis.exceptions import OutOfMemoryError, ReadOnlyError, ResponseError

from service.accounting.books.books import ClaimMoved
from service.stores.connection.clients import RedisClient
from service.stores.connection.faults import EngineRefused, EngineUnavailable, translated_errors
from service.stores.connection.replicas import Replicas

SCRIPTS = Path(__file__).parent / "lua"
_SHARED = ("epoch.lua", "trail.lua", "books.lua", "charges.lua", "entries.lua")
_REFUSED = "REFUSED"


def lua(name: str) -> str:
    """The text of a script, by the name of its file."""
    return (SCRIPTS / name).read_text(encoding="utf-8")


def script_text(name: str) -> str:
    """Put a script that moves units together with what all of these share."""
    return "\n".join(map(lua, (*_SHARED, name)))


def load_script(redis: RedisClient, name: str) -> AsyncScript:
    """A script that moves units, to be called by ``run_script``; it is sent to Redis once."""
    return redis.register_script(script_text(name))


async def run_script(
    replicas: Replicas, script: AsyncScript, keys: Sequence[str], arguments: Sequence[bytes | str]
) -> dict[str, Any]:
    """Run a script: one step, or a fault and nothing moved.

    Raises ClaimMoved, EngineFault; of these Unconfirmed where it was moved, and replicas lack it.
    """
    with translated_errors():
        try:
            written = await replicas.run(script, keys, arguments)
        except (OutOfMemoryError, ReadOnlyError):
            raise
        except ResponseError as error:
            raise _refusal(error) from error
    answer: dict[str, Any] = orjson.loads(written)
    if answer["s"] == "moved":
        raise ClaimMoved
    return answer


def _refusal(error: ResponseError) -> EngineRefused | EngineUnavailable:
    """Tell what the script itself refused from what Redis cannot do now."""
    text = str(error)
    if text.startswith(_REFUSED):
        return EngineRefused("redis", text.removeprefix(_REFUSED).strip()[:200])
    return EngineUnavailable("redis", text.partition(" ")[0])
