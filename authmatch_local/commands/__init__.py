"""The commands run, sample and engines; `service.cli` adds them where this is installed."""

from authmatch_local.commands.engines import app as engines_app
from authmatch_local.commands.run import run
from authmatch_local.commands.sample import sample

__all__ = ["engines_app", "run", "sample"]
