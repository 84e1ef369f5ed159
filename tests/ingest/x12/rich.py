"""A 278 and an 837 with every segment that their guides have, all of its elements filled."""

from tests.ingest.x12.edi import interchange, transaction

_NAME = "NM1*{role}*{kind}*ROE*RICHARD*QUINN*DR*JR*{qualifier}*{number}*72*X1*LAST"
_PLACE = (
    "N2*UNIT A*UNIT B", "N3*1 MAIN ST*FLOOR 2", "N4*TOWN*TX*750011234*US*CY*LOC1*TX1",
    "PER*IC*DESK*TE*5550100*FX*5550101*EX*77*INQ",
)  # fmt: skip


def party(
    role: str, number: str = "1234567893", qualifier: str = "XX", *more: str, kind: str = "1"
) -> list[str]:
    """A party with all that may stand in its loop."""
    name = _NAME.format(role=role, kind=kind, qualifier=qualifier, number=number)
    return [name, *_PLACE, "REF*EI*741234567*NOTE*0B:9", "PRV*PE*PXC*225100000X*TX*S1*O1", *more]


_PERSON = (
    "DMG*D8*19800502*F*M*RET:C:1*1*US*S1*100*B1*C1",
    "INS*Y*18*001*25*A*C*1*FT*F*N*D8*20260301*C1*TOWN*TX*US*1",
)
_DMG = _PERSON[0]
_SHARED = (
    "TRN*2*T{n}*9012345678*DEPT{n}",
    "REF*BB*OLD{n}*NOTE*0B:9", "REF*NT*NT{n}", "REF*9F*OTH{n}", "REF*ZZ*ANY*TEXT*0B:9",
    "DTP*007*RD8*20260301-20260531", "DTP*036*D8*20260530", "DTP*AAH*RD8*20260301-20260401",
    "DTP*102*D8*20260220", "DTP*435*D8*20260301", "DTP*096*D8*20260310", "DTP*439*D8*20260228",
    "CRC*ZV*Y*01*02*03*04*05", "CL1*1*7*01*N", "PWK*OZ*EL*1*IP*AC*CTL1*TEXT*PA:1*1",
    "CR1*LB*150*I*A*DH*10*A1*A2*ROUND*STRETCHER", "CR2*1*2*C1*C2*MO*3*4*A*Y*D1*D2*Y",
    "CR4*1*2*A*B*C*D*E*F", "CR5*I*1*2*3*4*5*DESC*6*7*8*9*1*2*3*4*5*1", "MSG*TEXT{n}*SS*2",
    "CR6*1*20260301*RD8*20260301-20260401*20260302*N*Y*I*20260303*HC*97110*20260304*20260305*"
    "20260306*RD8*20260301-20260302*A*1*2*3*4",
    "CR7*HH*10*20", "CR8*A*B*20260301*20260302*REF*1*2*3*4",
)  # fmt: skip


def _shared(number: int, *more: str) -> list[str]:
    return [each.format(n=number) for each in (*_SHARED, *more)]


def rich_review(*, is_plain: bool = False) -> str:
    """A response with an event and three services, of a dependent; a plain one of the subscriber.

    A plain one says some things once only: quantities in the services, who asks, and no days twice.
    """
    upper = [
        "BHT*0007*11*REF1*20260220*1504*18", "HL*1**20*1", *party("X3", "P100", "PI", kind="2"),
        "HL*2*1*21*1", *party("1P"), "HL*3*2*22*1", *party("IL", "M0001", "MI", *_PERSON),
        *([] if is_plain else ["HL*4*3*23*1", *party("QC", "M0002", "MI", *_PERSON)]),
    ]  # fmt: skip
    event = [
        "HL*5*4*EV*1", "UM*HS*I*1*11:B:1*AA:AP:OA:TX:US*E*G*01*S*Y", "HCR*A1*AU1*0U*Y",
        *_shared(1), "HI*ABK:M5450:D8:20260201:1:2:X:Y:Z*LOI:12345:D8:20260202",
        "HSD*VS*12*DA*1*34*2*1*A",
        *party("SJ"), *party("SJ", "1999999984"), *party("FA", "1477777776", kind="2"),
        *party("DN", "1679576722"), *party("DK", "1588667638"), *party("45"),
    ]  # fmt: skip
    services: list[str] = []
    for number, service in enumerate(
        (
            "SV1*HC:97110:GP:59:76:77:TEXT:97112*60*UN*12*11*Z1*1:2*1*Y*R1*Y*Y*R2*R3*1*2*P*DC*T*L1",
            "SV2*0420*HC:97110:GP*60*UN*12*5*1*C1*Y*L1",
            "SV3*AD:D2392*99*11*10:20*I*2*TEXT*1*1*P1*1:2",
        ),
        start=6,
    ):
        services += [
            f"HL*{number}*5*SS*0", "UM*HS*I*1*11:B:1*AA:AP:OA:TX:US*E*G*01*S*Y",
            f"HCR*A1*AU{number}*0U*Y", *_shared(number), "HI*ABK:M5450:D8:20260201*BBR:0DT",
            service, "HSD*VS*12*DA*1*34*2*1*A", "TOO*JP*14*M:O", *party("SJ", "1999999984"),
            *party("FA", "1477777776", kind="2"),
        ]  # fmt: skip
    segments = [*upper, *event, *services]
    if is_plain:
        segments = [each for each in segments if not each.startswith(("HSD", "NM1*DN"))]
        segments = [each.replace("HL*5*4*EV", "HL*5*3*EV") for each in segments]
    return interchange(transaction(*segments, st03="005010X217"))


_OF_CLAIM = (
    "DTP*434*RD8*20260310-20260315", "DTP*435*DT*202603101430", "DTP*096*TM*1100",
    "DTP*431*D8*20260301", "CL1*2*7*01*N", "PWK*OZ*EL*1*IP*AC*CTL1*TEXT*PA:1*1",
    "CN1*05*10*2*C1*3*1", "AMT*F5*20*C", "REF*G1*N1*NOTE*0B:9", "REF*9F*N2", "REF*G3*N3",
    "REF*F8*ICN7*NOTE", "REF*D9*X1*NOTE", "K3*FIXED*01*AB", "NTE*ADD*TEXT",
    "CR1*LB*150*I*A*DH*10*A1*A2*ROUND*STRETCHER", "CR2*1*2*C1*C2*MO*3*4*A*Y*D1*D2*Y",
    "CR3*I*MO*6*A*1", "CR5*I*1*2*3*4*5*DESC*6*7*8*9*1*2*3*4*5*1",
    "CR6*1*20260301*RD8*20260301-20260401*20260302*N*Y*I*20260303*HC*97110*20260304",
    "CRC*ZV*Y*01*02*03*04*05", "HI*ABK:M5450:D8:20260201:1:2:X:Y:Z*ABF:M5416*DR:470",
    "HI*BE:A1:D8:20260201:10", "HCP*01*10*2*R1*3*G1*4*R2*HC*97110*UN*1*T1*P1*E1", "QTY*CA*3*C*1",
    "DN1*24*12*Y*TEXT", "DN2*14*E*1*D8*20260301*JP", "DSB*1*1*A*B*C*1*2*3",
)  # fmt: skip
_OTHER_PAYER = [
    "SBR*S*18*G1*PLAN*C1*1*N*A*CI", "CAS*PR*1*40*1*2*50*1", "AMT*D*40*C", "DMG*D8*19800502*F",
    "OI*A*B*Y*P*C*Y", "MIA*1*2*3*4*5*6", "MOA*1*2*A*B", "DTP*573*D8*20260401", "REF*ZZ*A",
    *party("IL", "X1", "MI"),
]  # fmt: skip
_OF_LINE = (
    "TOO*JP*14*M:O", "PWK*OZ*EL*1*IP*AC*CTL1", "CR1*LB*150*I*A*DH*10*A1*A2*ROUND*STRETCHER",
    "CR3*I*MO*6*A*1", "CR5*I*1*2*3", "CRC*ZV*Y*01*02*03*04*05", "DTP*472*RD8*20260312-20260313",
    "DTP*738*D8*20260301", "QTY*PT*2*C*1", "MEA*TR*HT*10*IN*1*2*3*4", "CN1*05*10*2*C1*3*1",
    "REF*G1*N4*NOTE*2U:P100", "REF*9F*N5", "REF*G3*N6", "REF*6R*L1*NOTE", "AMT*T*3*C",
    "K3*FIXED*01*AB", "NTE*ADD*TEXT", "PS1*X1*10*TX", "HSD*VS*1*DA*1", "HCP*01*10*2",
    "SV5*HC:E0110*DA*10*20*30*1*A*B",
)  # fmt: skip
_SERVICES = {
    "005010X222A1": "SV1*HC:97110:GP:59:76:77:TEXT:97112*60*UN*12*12*Z1*1:2*1*Y*R1*Y*Y*R2*R3*1*2",
    "005010X223A2": "SV2*0420*HC:97110:GP:59:76:77:TEXT*60*UN*12*5*1*C1*Y*L1",
    "005010X224A2": "SV3*AD:D2392:AA:BB:CC:DD:TEXT*99*22*10:20*I*2*TEXT*1*1*P1*1:2",
}


def rich_claim(guide: str, *, is_dependent: bool = True) -> str:
    """A claim of a guide, of a dependent or of the subscriber, with one line."""
    patient = ["HL*3*2*23*0", "PAT*19*U*FT*1*D8*20260301*01*150*Y", *party("QC", "M2", "MI", _DMG)]
    place = "13:A:1" if guide == "005010X223A2" else "11:B:1"
    segments = [
        "BHT*0019*00*B1*20260315*0900*CH", "REF*87*X222*NOTE", *party("41"), *party("40"),
        "HL*1**20*1", "PRV*BI*PXC*225100000X*TX*S1*O1", "CUR*85*USD*1*PR*X", *party("85"),
        "HL*2*1*22*1", "SBR*P*18*G1*PLAN*C1*1*N*A*CI", "PAT*19*U*FT*1*D8*20260301*01*150*Y",
        *party("IL", "M1", "MI", _DMG), *party("PR", "P100", "PI", kind="2"),
        *(patient if is_dependent else []),
        f"CLM*C1*240*N*X*{place}*Y*A*Y*Y*P*AA:AP:OA:TX:US*01*Y*C*D*E*01*N*X*11",
        *(each for each in _OF_CLAIM if is_dependent or not each.startswith("DTP*434")),
        *party("82"), *party("DN"), *party("77"), *party("71"), *_OTHER_PAYER,
        "LX*1*0", _SERVICES[guide], *_OF_LINE, *party("82"),
        "LIN*1*N4*00002012345*X1*Y", "CTP*A*B*10*2*UN", "REF*XZ*RX1*NOTE",
        "SVD*OP1*10*HC:99212*0420*1", "CAS*PR*1*40*1", "DTP*573*D8*20260401", "AMT*EAF*1*C",
        "LQ*UT*A1", "FRM*1*Y*T*20260301*9",
    ]  # fmt: skip
    return interchange(transaction(*segments, set_id="837", st03=guide), guide=guide, group="HC")
