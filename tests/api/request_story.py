"""What the examples show of requests for authorization."""

from collections.abc import Iterator
from contextlib import contextmanager

from authmatch_local.partner import Partner
from authmatch_local.partner import serving as answering
from service.settings import Settings, TradingPartner
from tests.api.story import Json, Story, until


@contextmanager
def with_partner(settings: Settings) -> Iterator[tuple[Settings, Partner]]:
    """Settings by which requests go to a partner that runs while the block does."""
    partner = Partner()
    with answering(partner) as address:
        payer = TradingPartner(url=address, receiver="PAYER", payer_id="EP100", inquire_s=60)
        yield settings.model_copy(update={"trading_partners": {"demo": payer}}), partner


def requests(story: Story, partner: Partner, asked: Json) -> None:
    """Therapy is asked for, reviewed, asked about, approved, and renewed."""
    partner.decision = "pended"
    at = "POST /requests/{request_id}/"
    name = asked["request_id"]
    story.call("PUT /requests/{request_id}", name, body=asked, status=201)
    story.call("PUT /requests/{request_id}", name, body=asked)
    story.call(f"{at}send", name, status=202)

    def stands(status: str) -> bool:
        return bool(story.client.get(f"/requests/{name}").json()["status"] == status)

    until(lambda: stands("PENDED"))
    partner.decision = "approved"
    story.call(f"{at}inquire", name, status=202)
    until(lambda: stands("APPROVED"))
    story.call("GET /requests", params={"member": asked["member"]["id"]})
    granted = story.call("GET /requests/{request_id}", name)["authorization_id"]
    renewal = {"request_id": "R-2027-0001", "certification_type": "R"}
    story.call(f"{at}copy", name, body=renewal, status=201)
    more = {"lines": [{**asked["lines"][0], "requested": {"units": "20", "unit": "UN"}}]}
    changes = {"diagnoses": asked["diagnoses"], **more}
    amended = {"request_id": "R-2027-0002", "certification_type": "S", "changes": changes}
    story.call("POST /authorizations/{authorization_id}/request", granted, body=amended, status=201)
