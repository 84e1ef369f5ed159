"""What is known of an answer before any unit is moved."""

from dataclasses import replace
from typing import Any

import pytest

from service.accounting.books.record import pack, unpack
from service.domain.answers import Summary
from service.domain.authorization import Authorization
from service.domain.person import Person
from service.flow.adjudicating.drafting import Drafted, Drafting
from service.flow.matching.match import Matched
from tests.adjudication.changed_rules import RED_DENIES
from tests.flow.searching import chosen_for, examined, paper, searched

RULES = RED_DENIES
