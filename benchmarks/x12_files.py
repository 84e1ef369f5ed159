"""Writes X12 files of any size, always the same ones, as clearing houses send them."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

CLAIMS_A_SET = 500
PATIENTS_A_PROVIDER = 25
_FIRST_DAY = date(2026, 1, 1)
_PROCEDURES = ("97110", "97140", "99213", "99214", "G0283", "J1885", "70553", "27447", "A0428")
_MODIFIERS = ("", "", "", ":GP", ":59", ":RT:59", ":25")
_DIAGNOSES = ("M5450", "M5416", "I10", "E119", "J069", "K021", "S83511A", "Z0000", "R05")
_NAMES = ("ROE", "DOE", "POE", "COE", "FOE", "GOE", "HOE", "NOE", "SMITHSON", "ROTHENBERG")
_FIRST_NAMES = ("ALEX", "KIM", "LEE", "JO", "PAT", "SKY", "MAX", "CHRISTOPHER")
_STREETS = ("MAIN ST", "ELM AVENUE", "WEST 34TH STREET APT 5", "OCEAN BLVD")
_TOWNS = ("SPRINGFIELD*IL*62704", "MIAMI*FL*331110000", "AUSTIN*TX*787011234", "TOWN*OH*44101")
_CLINICS = 200
_DOCTORS_A_CLINIC = 4

Write = Callable[["_Market", int], list[str]]


class _Clinic:
    """A provider, its doctors, and what it charges: the same in all of its claims."""

    def __init__(self, chance: random.Random) -> None:
        self.name = f"{chance.choice(_NAMES)} {chance.choice(('CLINIC', 'MEDICAL GROUP', 'REHAB'))}"
        self.npi, self.tin = _npi(chance), chance.randrange(10**8, 10**9)
        self.address = _address(chance)
        self.doctors = [_doctor(chance) for _ in range(_DOCTORS_A_CLINIC)]
        self.charges = {each: chance.randrange(2000, 90000) for each in _PROCEDURES}


class _Market:
    """Chance, and the clinics that send."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clinics = [_Clinic(self.chance) for _ in range(_CLINICS)]


def claims_837(size_bytes: int, seed: int = 1) -> Iterator[bytes]:
    """Give an 837P of about this size, one transaction set a piece."""
    yield from _file("HC", "005010X222A1", _claim_set, size_bytes, seed)


def reviews_278(size_bytes: int, seed: int = 1) -> Iterator[bytes]:
    """Give a file of 278 responses of about this size, one transaction set a piece."""
    yield from _file("HI", "005010X217", _review_set, size_bytes, seed)


def _file(group: str, guide: str, write: Write, size_bytes: int, seed: int) -> Iterator[bytes]:
    market = _Market(seed)
    yield (
        "ISA*00*          *00*          *ZZ*CLEARINGHOUSE  *ZZ*EXAMPLEPLAN    "
        "*260301*1200*^*00501*000000905*0*T*:~\n"
        f"GS*{group}*CLEARINGHOUSE*EXAMPLEPLAN*20260301*1200*17*X*{guide}~\n"
    ).encode()
    written = count = 0
    while written < size_bytes:
        count += 1
        body = write(market, count)
        number = f"{count:04d}"
        set_id = "837" if group == "HC" else "278"
        segments = [f"ST*{set_id}*{number}*{guide}", *body]
        segments.append(f"SE*{len(segments) + 1}*{number}")
        piece = ("~\n".join(segments) + "~\n").encode()
        written += len(piece)
        yield piece
    yield f"GE*{count}*17~\nIEA*1*000000905~\n".encode()


def _claim_set(market: _Market, number: int) -> list[str]:
    chance = market.chance
    body = [
        f"BHT*0019*00*B{number}*20260301*1200*CH",
        "NM1*41*2*EXAMPLE BILLING SERVICE*****46*BILL1",
        "PER*IC*CLAIMS DESK*TE*5550100100*EX*231",
        "NM1*40*2*EXAMPLE PLAN*****46*EP100",
    ]
    level = provider = 0
    for claim in range(CLAIMS_A_SET):
        if claim % PATIENTS_A_PROVIDER == 0:
            level += 1
            provider, clinic = level, chance.choice(market.clinics)
            body += _billing(clinic, level)
        level += 1
        body += _subscriber(chance, level, provider)
        body += _claim(market, clinic, f"{number:05d}{claim:04d}")
    return body


def _billing(clinic: _Clinic, level: int) -> list[str]:
    return [
        f"HL*{level}**20*1",
        "PRV*BI*PXC*225100000X",
        f"NM1*85*2*{clinic.name}*****XX*{clinic.npi}",
        *clinic.address,
        f"REF*EI*{clinic.tin}",
        "PER*IC*FRONT OFFICE*TE*5550100200",
    ]


def _subscriber(chance: random.Random, level: int, provider: int) -> list[str]:
    return [
        f"HL*{level}*{provider}*22*0",
        f"SBR*P*18*GRP{chance.randrange(1000):05d}******CI",
        _person(chance, "IL", f"MI*{_member(chance)}"),
        *_address(chance),
        _born(chance),
        "NM1*PR*2*EXAMPLE PLAN*****PI*EP100",
        "N3*PO BOX 1000",
        "N4*SPRINGFIELD*IL*62704",
    ]


def _claim(market: _Market, clinic: _Clinic, number: str) -> list[str]:
    chance = market.chance
    diagnoses = chance.sample(_DIAGNOSES, chance.choice((1, 2, 2, 3, 4)))
    services = [
        (chance.choice(_PROCEDURES), chance.choice(_MODIFIERS), chance.choice((1, 1, 1, 2, 4)))
        for _ in range(chance.choice((1, 1, 2, 2, 3, 4, 6)))
    ]
    charges = [clinic.charges[code] * units for code, _, units in services]
    segments = [
        f"CLM*{number}*{_amount(sum(charges))}***11:B:1*Y*A*Y*Y",
        f"REF*D9*{chance.randrange(10**16, 10**17)}",
    ]
    if chance.random() < 0.4:
        segments.append(f"REF*G1*AU{chance.randrange(10**7):07d}")
    segments.append(
        "HI*" + "*".join(f"{'ABF' if n else 'ABK'}:{code}" for n, code in enumerate(diagnoses))
    )
    if chance.random() < 0.4:
        referring = chance.choice(chance.choice(market.clinics).doctors)
        segments.append(f"NM1*DN*1*{referring}")
    segments += [f"NM1*82*1*{chance.choice(clinic.doctors)}", "PRV*PE*PXC*225100000X"]
    if chance.random() < 0.3:
        segments += [f"NM1*77*2*{clinic.name}*****XX*{clinic.npi}", *clinic.address]
    day = _day(chance)
    pointers = ":".join(str(n + 1) for n in range(len(diagnoses)))
    for place, (code, modifiers, units) in enumerate(services, start=1):
        charge = _amount(charges[place - 1])
        segments += [
            f"LX*{place}",
            f"SV1*HC:{code}{modifiers}*{charge}*UN*{units}***{pointers}",
            f"DTP*472*D8*{day:%Y%m%d}",
            f"REF*6R*{number}{place:03d}",
        ]
    return segments


def _review_set(market: _Market, number: int) -> list[str]:
    chance = market.chance
    asks, gives = chance.choice(market.clinics), chance.choice(market.clinics)
    first = _day(chance)
    last = first + timedelta(days=chance.choice((0, 29, 59, 89)))
    code = f"AU{number:07d}"
    body = [
        f"BHT*0007*11*R{number}*20260301*{number % 24:02d}{number % 60:02d}*18",
        "HL*1**20*1",
        "NM1*X3*2*EXAMPLE PLAN*****PI*EP100",
        "HL*2*1*21*1",
        f"NM1*1P*1*{chance.choice(asks.doctors)}",
        f"REF*EI*{asks.tin}",
        "HL*3*2*22*1",
        _person(chance, "IL", f"MI*{_member(chance)}"),
        *_address(chance),
        _born(chance),
        "HL*4*3*EV*1",
        f"TRN*2*TRACE{number:07d}*9012345678",
        "UM*HS*I*2*11:B*****Y",
        f"HCR*{chance.choice(('A1', 'A1', 'A1', 'A2', 'A3', 'A4', 'A6'))}*{code}",
        f"DTP*102*D8*{_FIRST_DAY:%Y%m%d}",
        f"DTP*007*RD8*{first:%Y%m%d}-{last:%Y%m%d}",
        f"HI*ABK:{chance.choice(_DIAGNOSES)}*ABF:{chance.choice(_DIAGNOSES)}",
        f"NM1*SJ*2*{gives.name}*****XX*{gives.npi}",
        *gives.address,
        "PRV*PE*PXC*225100000X",
        "NM1*FA*2*EXAMPLE HOSPITAL*****XX*1477777776",
    ]
    for place in range(chance.choice((1, 1, 2, 3, 4))):
        body += [f"HL*{place + 5}*4*SS*0", f"TRN*2*LINE{number:06d}{place:02d}*9012345678"]
        if chance.random() < 0.5:
            body.append(f"HCR*{chance.choice(('A1', 'A1', 'A3'))}*{code}")
        procedure = chance.choice(_PROCEDURES)
        charge = _amount(gives.charges[procedure])
        body.append(f"SV1*HC:{procedure}{chance.choice(_MODIFIERS)}*{charge}*UN*{place + 1}")
        if chance.random() < 0.5:
            body.append(f"HSD*VS*{chance.randrange(1, 6)}*WK**34*2")
    return body


def _doctor(chance: random.Random) -> str:
    return f"{chance.choice(_NAMES)}*{chance.choice(_FIRST_NAMES)}****XX*{_npi(chance)}"


def _person(chance: random.Random, role: str, identifier: str) -> str:
    name, first = chance.choice(_NAMES), chance.choice(_FIRST_NAMES)
    return f"NM1*{role}*1*{name}*{first}****{identifier}"


def _address(chance: random.Random) -> list[str]:
    return [
        f"N3*{chance.randrange(1, 9999)} {chance.choice(_STREETS)}",
        f"N4*{chance.choice(_TOWNS)}",
    ]


def _born(chance: random.Random) -> str:
    day = date(1930, 1, 1) + timedelta(days=chance.randrange(33_000))
    return f"DMG*D8*{day:%Y%m%d}*{chance.choice('FM')}"


def _member(chance: random.Random) -> str:
    return f"M{chance.randrange(10**9):09d}"


def _npi(chance: random.Random) -> str:
    return str(chance.randrange(10**9, 2 * 10**9))


def _day(chance: random.Random) -> date:
    return _FIRST_DAY + timedelta(days=chance.randrange(365))


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}".removesuffix(".00")
