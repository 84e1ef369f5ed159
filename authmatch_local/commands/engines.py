"""`authmatch engines`: the local Elasticsearch and Redis, started and stopped by hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from authmatch_local import engines
from service.cli.configuration import JsonOption
from service.cli.faults import ENGINE_FAULT, PROBLEMS, end
from service.cli.terminal import put, put_json, say

app = typer.Typer(no_args_is_help=True, help="The local engines: start, stop, status.")

HomeOption = Annotated[
    str, typer.Option(help="Which pair of engines: each has data of its own.", metavar="NAME")
]


@contextmanager
def failures_told() -> Iterator[None]:
    """Say why an engine could not be started or stopped, and leave with exit code 3."""
    try:
        yield
    except engines.EngineError as error:
        if error.log_tail:
            say(error.log_tail)
        end(error.reason, ENGINE_FAULT, error)


@app.command()
@failures_told()
def start(
    home: HomeOption = "run",
    heap_mb: Annotated[
        int, typer.Option(min=256, max=32_768, help="Heap of Elasticsearch in MiB.")
    ] = 1024,
) -> None:
    """Start the local engines, or find them running; prints the settings that name them."""
    found = engines.start(engines.default_cache(), progress=say, heap_mb=heap_mb, home=home)
    put(f"export AUTHMATCH_ELASTICSEARCH_URL={found.elasticsearch_url}")
    put(f"export AUTHMATCH_REDIS_URL={found.redis_url}")


@app.command()
@failures_told()
def stop(home: HomeOption = "run") -> None:
    """Stop the local engines in good order; their data stay."""
    stopped = engines.stop(engines.default_cache(), home=home)
    say(f"engines of {home} stopped" if stopped else f"no engines of {home} were running")


@app.command()
@failures_told()
def status(home: HomeOption = "run", as_json: JsonOption = False) -> None:
    """Say what runs, where; exit code 1 unless both do."""
    found = engines.status(engines.default_cache(), home=home)
    both = {"elasticsearch": found.elasticsearch, "redis": found.redis}
    if as_json:
        put_json({name: each and {"url": each.url, "pid": each.pid} for name, each in both.items()})
    else:
        for name, each in both.items():
            put(f"{name}: {f'{each.url} (process {each.pid})' if each else 'not running'}")
    if not all(both.values()):
        raise typer.Exit(PROBLEMS)
