"""Made-up authorizations and claims of any size, with what must come out of matching them."""

from service.samples.data import SampleData
from service.samples.expected import Expected

__all__ = ["Expected", "SampleData"]
