"""What is written of an authorization: its document, and what is left where it went away."""

from service.domain.reference import StoredReferences
from service.stores.authorizations.arrival import Arrival
from service.stores.authorizations.document import make_document, write_order
from service.stores.connection.bulk import Operation
from service.stores.connection.names import IndexNames, document_id, routing


def write_document(
    indices: IndexNames, references: StoredReferences, payer: str, intake: Arrival, pushed_at: str
) -> Operation:
    """Write the document of a version that arrived."""
    previous = [n for old in intake.old.values() for n in old.get("inherited_numbers", ())]
    document = make_document(
        payer,
        intake.pushed,
        references,
        form=intake.form,
        inherited=(*intake.inherited, *previous),
        superseded_by=intake.superseded_by,
        pushed_at=intake.first_stored_at or pushed_at,
    )
    document |= {
        "content_hash": intake.hash,
        "void": intake.void,
        "member_id": intake.member,
    } | _moves(intake.moves)
    return Operation(
        action="index",
        index=indices.authorizations,
        id=document_id(payer, intake.id),
        routing=routing(payer, intake.member),
        version=intake.order,
        document=document,
    )


def _moves(moves: int) -> dict[str, int]:
    return {"moves": moves} if moves else {}


def tombstone(
    indices: IndexNames,
    payer: str,
    authorization_id: str,
    member: str,
    *,
    version: int,
    moves: int = 0,
) -> Operation:
    """Write a tombstone; where the members share a shard, the document itself stays."""
    return Operation(
        action="index",
        index=indices.authorizations,
        id=document_id(payer, authorization_id),
        routing=routing(payer, member),
        version=write_order(version, moves),
        document={
            "payer": payer,
            "member_id": member,
            "authorization_id": authorization_id,
            "version": version,
            "void": False,
            "current": False,
            "moved": True,
        }
        | _moves(moves),
    )
