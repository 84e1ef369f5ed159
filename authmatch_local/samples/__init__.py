"""Made-up authorizations and claims of any size, with what must come out of matching them."""

from authmatch_local.samples.data import SampleData
from authmatch_local.samples.expected import Expected

__all__ = ["Expected", "SampleData"]
