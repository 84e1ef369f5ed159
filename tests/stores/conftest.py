"""Tests of this folder run on real engines, under one index prefix."""

from tests.ground import ground as ground
from tests.ground import own as own
from tests.ground import payer as payer
from tests.stores.outbox_bed import apart as apart
