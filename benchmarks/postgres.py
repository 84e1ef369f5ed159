"""The same match as a hand-written join in PostgreSQL: what a payer would have made at home.

It finds and grades candidates by the professional criteria in one statement a claim. It gives no
evidence, no number rules and no classes, so that it does less than `/match`.
"""

import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authmatch_local.samples import SampleData
from service.domain.authorization import Authorization
from service.domain.effective import effective_lines
from service.rules.texts import load_rules
from service.settings import Settings

CLAIMS = 200
COLUMNS = (
    "member text, authorization_id text, line int, kind text, setting text, cert date, "
    "first date, last date, code_from text, code_to text, shape text, npi text, tin text, "
    "numbers text[], modifiers text[], place text, diagnoses text[]"
)
QUERY = """
SELECT q.n, a.authorization_id, max(
    CASE WHEN a.code_from IS NULL THEN 30
         WHEN a.shape = q.shape AND q.code BETWEEN a.code_from AND a.code_to THEN 30 ELSE 0 END
  + CASE WHEN a.first <= q.d AND q.d <= a.last THEN 20 ELSE 8 END
  + CASE WHEN a.npi IS NULL THEN 20 WHEN a.npi = q.npi THEN 20 WHEN a.npi = q.billing THEN 16
         WHEN a.tin = q.tin THEN 14 ELSE 0 END
  + CASE WHEN a.numbers && q.numbers THEN 10 ELSE 0 END
  + CASE WHEN a.modifiers IS NULL OR a.modifiers <@ q.modifiers THEN 8 ELSE 0 END
  + CASE WHEN a.place IS NULL OR a.place = q.place THEN 7 ELSE 0 END
  + CASE WHEN a.diagnoses IS NULL OR a.diagnoses && q.diagnoses THEN 5 ELSE 0 END) AS score,
  min(a.cert)
FROM (VALUES {values}) AS q(n, code, shape, d, npi, billing, tin, numbers, modifiers, place,
                            diagnoses)
JOIN authorization_line a ON a.member = %(member)s AND a.setting = 'professional'
 AND a.kind = 'authorization' AND a.first <= q.d + 7 AND q.d - 7 <= a.last
GROUP BY 1, 2 ORDER BY 1, 3 DESC, 4
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The median in milliseconds, or why there is none."""

    milliseconds: float | None
    note: str


def p50(sample: SampleData, claims: list[dict[str, Any]], say: Callable[[str], None]) -> Outcome:
    """Load the sample into a PostgreSQL of our own on loopback and time the join."""
    binaries = _binaries()
    if binaries is None:
        return Outcome(None, "not measured: PostgreSQL is not on this machine (Debian: postgresql)")
    try:
        import psycopg
    except ImportError:
        return Outcome(None, "not measured: the package psycopg is not installed")
    with _server(binaries) as address, psycopg.connect(address, autocommit=True) as connection:
        count = _load(connection, sample)
        say(f"  {count:,} lines in PostgreSQL")
        times = []
        for claim in claims[:CLAIMS]:
            query, values = _statement(claim)
            started = time.perf_counter()
            connection.execute(query, values, prepare=True).fetchall()
            times.append((time.perf_counter() - started) * 1000)
    return Outcome(statistics.median(times), "the join finds and grades; no evidence, no classes")


def _binaries() -> Path | None:
    found = shutil.which("postgres")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return versions[-1].parent if versions else None


@contextmanager
def _server(binaries: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "data"
        user: dict[str, Any] = {}
        if os.geteuid() == 0:
            # PostgreSQL refuses root, as Elasticsearch does.
            shutil.chown(folder, "nobody")
            user = {"user": "nobody"}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        initdb = [
            str(binaries / "initdb"),
            "--no-sync",
            "-D",
            str(home),
            "-A",
            "trust",
            "-U",
            "bench",
        ]
        control = [str(binaries / "pg_ctl"), "-w", "-D", str(home), "-l", f"{folder}/log"]
        options = f"-p {port} -h 127.0.0.1 -k {folder}"
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
        start = [*control, "-o", options, "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)
        try:
            yield f"host=127.0.0.1 port={port} user=bench dbname=postgres"
        finally:
            stop = [*control, "-m", "fast", "stop"]
            subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, cwd=folder, **user)


def _load(connection: Any, sample: SampleData) -> int:
    references = load_rules(Settings()).references
    connection.execute(f"CREATE TABLE authorization_line ({COLUMNS})")
    count = 0
    with connection.cursor().copy("COPY authorization_line FROM STDIN") as copy:
        for each in sample.authorizations():
            authorization = Authorization.model_validate(each)
            for line in effective_lines(authorization, references):
                copy.write_row(_row(authorization, line))
                count += 1
    connection.execute("CREATE INDEX ON authorization_line (member, first)")
    connection.execute("ANALYZE authorization_line")
    return count


def _row(authorization: Authorization, line: dict[str, Any]) -> tuple[object, ...]:
    window = line["effective"]
    return (
        authorization.member.id,
        authorization.authorization_id,
        line["line"],
        line["kind"],
        line["setting"],
        line.get("certification_date"),
        window.get("first", "1900-01-01"),
        window.get("last", "9999-12-31"),
        line.get("procedure.from"),
        line.get("procedure.to"),
        line.get("procedure.shape"),
        line.get("servicing_provider.npi"),
        line.get("servicing_provider.tin"),
        line["numbers_all"],
        line.get("modifiers_significant"),
        line.get("place_of_service"),
        line.get("diagnoses"),
    )


def _statement(claim: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"member": claim["member"]["id"]}
    rows = []
    rendering = claim.get("rendering_provider") or {}
    billing = claim.get("billing_provider") or {}
    for n, line in enumerate(claim["lines"]):
        row = {
            "n": n,
            "code": line.get("procedure"),
            "shape": "HCPCS:99999",
            "d": line["from"],
            "npi": rendering.get("npi"),
            "billing": billing.get("npi"),
            "tin": billing.get("tin"),
            "numbers": [each["value"] for each in claim.get("authorization_numbers", ())],
            "modifiers": list(line.get("modifiers", ())),
            "place": line.get("place_of_service") or claim.get("place_of_service"),
            "diagnoses": [each["code"] for each in claim.get("diagnoses", ())],
        }
        casts = {"n": "int", "d": "date"} | dict.fromkeys(
            ("numbers", "modifiers", "diagnoses"), "text[]"
        )
        cells = [f"%({name}{n})s::{casts.get(name, 'text')}" for name in row]
        rows.append(f"({', '.join(cells)})")
        values |= {f"{name}{n}": value for name, value in row.items()}
    return QUERY.format(values=", ".join(rows)), values
