"""Real stores, and a payer of its own for each test."""

from tests.ground import ground as ground
from tests.ground import own as own
from tests.ground import payer as payer
