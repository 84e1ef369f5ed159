"""Made-up authorizations and claims of any size, with what must come out of matching them."""

from tools.samples.data import SampleData
from tools.samples.expected import Expected

__all__ = ["Expected", "SampleData"]
