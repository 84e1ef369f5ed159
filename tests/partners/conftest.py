"""Tests of this folder run on real engines, and with a trading partner on loopback."""

from tests.ground import ground as ground
from tests.ground import payer as payer
