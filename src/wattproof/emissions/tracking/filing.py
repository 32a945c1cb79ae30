"""Reports on the ledger: the transaction that files one, and the check that it comes out the same.

What is filed is the digest of the report's bytes and all that is needed to make them again. A year
later whoever has the log makes the report anew and compares.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

from wattproof.analytics.lake import Lake
from wattproof.emissions.tracking.error_report import ErrorReport, error_report, report_bytes
from wattproof.emissions.tracking.model import FiledReport, FileReport
from wattproof.ledger.state import Reading

__all__ = ["Remade", "filing_of", "made_again"]


class Remade(msgspec.Struct, frozen=True, kw_only=True):
    """A filed report made again, the digest of what came of it, and whether it is the same."""

    report: ErrorReport
    digest: bytes
    same: bool


def filing_of(report: ErrorReport) -> FileReport:
    """The transaction that files a report; the host signs it, or a registrar for the host."""
    return FileReport(
        host=report.host,
        group=report.group,
        set=report.set,
        step=report.step,
        from_s=report.from_s,
        to_s=report.to_s,
        zone=report.zone,
        entries=report.entries,
        rows=len(report.rows),
        digest=_digest(report),
    )


def made_again(reading: Reading, lake: Lake, filed: FiledReport) -> Remade:
    """The report that was filed, from the log as it was then, beside the digest on file."""
    report = error_report(
        reading,
        lake,
        host=filed.host,
        group=filed.group,
        step=filed.step,
        zone=filed.zone,
        from_s=filed.from_s,
        to_s=filed.to_s,
        set_=filed.set,
        entries=filed.entries,
    )
    digest = _digest(report)
    return Remade(report=report, digest=digest, same=digest == filed.digest)


def _digest(report: ErrorReport) -> bytes:
    return sha256(report_bytes(report)).digest()
