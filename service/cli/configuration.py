"""Reads settings from the environment, and says which variable is wrong."""

import re
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from pydantic_settings import SettingsError

from service.cli.faults import BadInput
from service.settings import NoSecrets, Payer, Settings

PREFIX = "AUTHMATCH_"

PayerOption = Annotated[
    str | None,
    typer.Option("--payer", help="Whose data; without it AUTHMATCH_DEFAULT_PAYER.", metavar="ID"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


def read_settings(**changes: Any) -> Settings:
    """Read the settings, some of them replaced; raises BadInput that names the variable."""
    try:
        settings = Settings()
    except NoSecrets as error:
        raise BadInput(str(error)) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = f"{PREFIX}{str(first['loc'][0]).upper()}"
        raise BadInput(f"{name}: {first['msg'].removeprefix('Value error, ')}") from error
    except SettingsError as error:
        named = re.search(r'field "(\w+)"', str(error))
        name = f"{PREFIX}{named[1].upper()}" if named else "a setting"
        raise BadInput(f"{name}: it must be JSON") from error
    return settings.model_copy(update=changes)


def payer_of(given: str | None, settings: Settings) -> str:
    """The payer that a command works for."""
    if given is None:
        return settings.default_payer
    try:
        return TypeAdapter[str](Payer).validate_python(given)
    except ValidationError as error:
        raise BadInput("--payer: letters, digits, - and _, at most 64") from error
