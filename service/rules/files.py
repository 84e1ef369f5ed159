"""Reads the texts of a book of rules from the files of a folder."""

from pathlib import Path

from service.querying.problem import Problem, TemplatesRefused
from service.rules.book import RuleBook
from service.rules.texts import load_texts
from service.settings import Settings

_FILES = ("*.yaml", "reference/*.yaml", "tables/*.json", "fixtures/*.yaml")


def load_rules(settings: Settings) -> RuleBook:
    """Load the rules of the settings; raises TemplatesRefused with all that is wrong with them."""
    return load_texts(read_folder(settings.queries_dir)).book


def read_folder(queries: Path) -> dict[str, str]:
    """Read the files of a folder of rules; raises TemplatesRefused for one that is not UTF-8."""
    texts = {}
    for pattern in _FILES:
        for path in sorted(queries.glob(pattern)):
            name = path.relative_to(queries).as_posix()
            try:
                texts[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                problem = Problem(code="T001", path="", message="not UTF-8 text", file=name)
                raise TemplatesRefused((problem,)) from error
    return texts
