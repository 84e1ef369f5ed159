"""What becomes of each segment of a 278 service (2000F)."""

from service.ingest.x12.fields.mapping import Row, Rows, code, number
from service.ingest.x12.fields.services import take_tooth
from service.ingest.x12.review.elements import (
    take_areas,
    take_certification,
    take_service,
    take_trace,
)
from service.ingest.x12.review.rows import SHARED

_LINE = "2000F"

SERVICE = Rows(
    (
        *SHARED,
        Row(
            "UM",
            (),
            "UM01",
            "attached.category",
            "as it stands",
            take_certification(_LINE),
            _LINE,
        ),
        Row("TRN", (), "TRN02", "code", "the first", take_trace, _LINE),
        Row(
            "SV1",
            (),
            "SV101, SV103, SV104",
            "procedure, modifiers, limits",
            "component 8 of the code ends a range; the quantity counts where there is no HSD",
            take_service(1, 3, 4),
            _LINE,
        ),
        Row("SV1", (), "SV102", "unit_price", "as it stands", number(2, "unit_price"), _LINE),
        Row(
            "SV1",
            (),
            "SV120",
            "attached.level_of_care",
            "a code of nursing homes, as it stands",
            code(20, "attached.level_of_care"),
            _LINE,
        ),
        Row("SV2", (), "SV201", "revenue_code", "as it stands", code(1, "revenue_code"), _LINE),
        Row(
            "SV2",
            (),
            "SV202, SV204, SV205",
            "procedure, modifiers, limits",
            "as for SV1",
            take_service(2, 4, 5),
            _LINE,
        ),
        Row("SV2", (), "SV203", "unit_price", "as it stands", number(3, "unit_price"), _LINE),
        Row(
            "SV2",
            (),
            "SV210",
            "attached.level_of_care",
            "as for SV120",
            code(10, "attached.level_of_care"),
            _LINE,
        ),
        Row(
            "SV3",
            (),
            "SV301, SV306",
            "procedure, modifiers, limits",
            "as for SV1, in units (UN)",
            take_service(1, None, 6),
            _LINE,
        ),
        Row("SV3", (), "SV302", "unit_price", "as it stands", number(2, "unit_price"), _LINE),
        Row("SV3", (), "SV304", "oral_cavity", "up to five areas", take_areas, _LINE),
        Row(
            "TOO",
            (),
            "TOO02, TOO03",
            "tooth, surfaces",
            "each tooth makes a line; its units are shared out where they can be",
            take_tooth,
            _LINE,
        ),
    )
)
