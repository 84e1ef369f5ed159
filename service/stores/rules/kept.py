"""Sets of rules in Elasticsearch: texts by their hash, one pointer, versions, drafts, history.

Texts are written first, where nobody looks for them without their hash. The pointer is then changed
over the one that was read: that alone puts a set in force. It holds what it published last, so that
versions and rows of the history that are missing after a crash are written by whoever is next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from elasticsearch import AsyncElasticsearch, ConflictError

from service.rules.book import EVERYBODY
from service.rules.life import Draft, Pointer, Step, Version
from service.stores.connection.faults import EngineFault, translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import (
    Found,
    Listing,
    Order,
    read_all,
    read_many,
    read_one,
    read_page,
)

POINTER = "in-force"
_WORKERS = 1_000

Json = dict[str, Any]
_NEWEST_FIRST: Order = [({"at": "desc"}, int), ({"number": "desc"}, int), ({"draft": "asc"}, str)]

Seen = tuple[int, int]
"""The number of a write, and the term of the primary that took it."""


class SeenPointer(NamedTuple):
    """The pointer, and the write that made it."""

    pointer: Pointer
    seen: Seen


class SeenDraft(NamedTuple):
    """A draft, and the write that made it."""

    draft: Draft
    seen: Seen


class Tallied(NamedTuple):
    """What a worker counted: of which payer's sets, of a draft or a set, and the counts."""

    payer: str
    of: str
    counts: Mapping[str, Any]


@dataclass(eq=False, repr=False)
class KeptRules:
    """Reads and writes them; by id in realtime. Raises EngineFault."""

    _elasticsearch: AsyncElasticsearch
    _indices: IndexNames

    async def pointer(self) -> SeenPointer | None:
        """What is in force; None before anything was."""
        found = await self._read(POINTER)
        if found is None:
            return None
        return SeenPointer(Pointer.model_validate(found["_source"]["body"]), _seen(found))

    async def point(self, pointer: Pointer, seen: Seen | None) -> bool:
        """Put sets in force over what was seen, or as the first; tells whether that was still so.

        Their texts must be kept before.
        """
        document = {"kind": "pointer", "body": pointer.model_dump(mode="json")}
        return await self._write(POINTER, document, seen)

    async def complete(self, pointer: Pointer) -> None:
        """Write the versions, drafts and rows of the last change, as far as they are missing."""
        for each in pointer.published:
            await self._complete_draft(each)
            document = _document("set", each.payer, each.made, each, each.number)
            await self._write(f"set|{each.number}", document, None)
            await self._note(each.payer, each.made, each.number, f"set|{each.number}")
        for noted in pointer.noted:
            await self._note(noted.payer, noted.step, noted.step.number or 0, noted.name)

    async def _complete_draft(self, version: Version) -> None:
        """Mark the draft of a version published, whatever became of it in the same moment."""
        while version.made.draft is not None:
            found = await self.draft(version.made.draft)
            if found is None or found.draft.number is not None:
                return
            changes = {"state": "published", "number": version.number, "last": version.made}
            if await self.write_draft(found.draft.model_copy(update=changes), found.seen):
                return

    async def keep_texts(self, hash_: str, texts: Mapping[str, str]) -> None:
        """Keep the texts of a set; nothing shows them before a version has their hash."""
        document = {"kind": "texts", "body": {"texts": dict(texts)}}
        await self._write(f"texts|{hash_}", document, None)

    async def texts(self, hashes: Iterable[str]) -> dict[str, dict[str, str]]:
        """The texts of sets by their hashes; raises EngineFault where some are gone."""
        wanted = list(dict.fromkeys(hashes))
        found = await read_many(
            self._elasticsearch,
            self._indices.rules,
            "rules",
            ids=[f"texts|{each}" for each in wanted],
        )
        texts = {}
        for hash_, each in zip(wanted, found, strict=True):
            if each is None:
                raise EngineFault("elasticsearch", f"the texts of rules {hash_[:12]} are gone")
            texts[hash_] = dict(each["_source"]["body"]["texts"])
        return texts

    async def version(self, number: int) -> Version | None:
        """A version by its number."""
        found = await self._read(f"set|{number}")
        return Version.model_validate(found["_source"]["body"]) if found else None

    async def versions(self, payer: str, *, size: int, after: str | None) -> Listing[Version]:
        """Versions that a payer may see, the newest first; raises BadCursor."""
        return await self._page(payer, "set", _version, size=size, after=after)

    async def draft(self, draft_id: str) -> SeenDraft | None:
        """A draft by its id."""
        found = await self._read(f"draft|{draft_id}")
        return _draft(found) if found else None

    async def drafts(
        self, payer: str, states: Sequence[str], *, size: int, after: str | None
    ) -> Listing[SeenDraft]:
        """Drafts of a payer in these states, those that were touched last first; BadCursor."""
        return await self._page(
            payer,
            "draft",
            _draft,
            {"terms": {"state": list(states)}},
            shared=False,
            size=size,
            after=after,
        )

    async def write_draft(self, draft: Draft, seen: Seen | None) -> bool:
        """Write a draft over what was seen, or as a new one; tells whether that was still so.

        The row of the step before is written first, where a crash left it out.
        """
        if seen is not None:
            before = await self.draft(draft.id)
            if before is None or before.seen != seen:
                return False
            await self._note_last(before.draft)
        document = _document("draft", draft.payer, draft.last, draft, state=draft.state)
        if not await self._write(f"draft|{draft.id}", document, seen):
            return False
        await self._note_last(draft)
        return True

    async def _note_last(self, draft: Draft) -> None:
        if draft.last.number is None:  # a set has the row of its own making
            name = f"draft|{draft.id}|{draft.steps}"
            await self._note(draft.payer, draft.last, draft.steps, name)

    async def _note(self, payer: str, step: Step, number: int, name: str) -> None:
        """Write a row of the history, once."""
        await self._write(f"step|{name}", _document("step", payer, step, step, number), None)

    async def history(
        self, payer: str, draft: str | None, *, size: int, after: str | None
    ) -> Listing[Step]:
        """Rows of the history that a payer may see, the newest first; raises BadCursor."""
        of = [] if draft is None else [{"term": {"draft": draft}}]
        return await self._page(payer, "step", _step, *of, size=size, after=after)

    async def write_tally(self, name: str, tally: Tallied) -> None:
        """Write what one worker counted of something that is tried live, over what it wrote."""
        document = {**_tally(tally.payer, tally.of), "body": tally.counts}
        with translated_errors():
            await self._elasticsearch.index(
                index=self._indices.rules, id=f"tally|{tally.of}|{name}", document=document
            )

    async def tallies(self, payer: str, of: str) -> list[Json]:
        """What all workers counted of it."""
        clauses = [{"term": {name: value}} for name, value in _tally(payer, of).items()]
        found = read_all(
            self._elasticsearch, self._indices.rules, {"bool": {"filter": clauses}}, size=_WORKERS
        )
        return [dict(each["_source"]["body"]) async for hits, _ in found for each in hits]

    async def _page(
        self,
        payer: str,
        kind: str,
        read: Any,
        *clauses: Mapping[str, Any],
        shared: bool = True,
        size: int,
        after: str | None,
    ) -> Listing[Any]:
        payers = [payer, EVERYBODY] if shared else [payer]
        return await read_page(
            self._elasticsearch,
            self._indices.rules,
            [{"term": {"kind": kind}}, {"terms": {"payer": payers}}, *clauses],
            read,
            order=_NEWEST_FIRST,
            size=size,
            after=after,
            seq_no_primary_term=True,
        )

    async def _read(self, id_: str) -> Found | None:
        return await read_one(self._elasticsearch, self._indices.rules, id_)

    async def _write(self, id_: str, document: Mapping[str, Any], seen: Seen | None) -> bool:
        over: dict[str, Any] = {"op_type": "create"}
        if seen is not None:
            over = {"if_seq_no": seen[0], "if_primary_term": seen[1]}
        with translated_errors():
            try:
                await self._elasticsearch.index(
                    index=self._indices.rules, id=id_, document=document, refresh=True, **over
                )
            except ConflictError:
                return False
        return True


def _tally(payer: str, of: str) -> dict[str, str]:
    return {"kind": "tally", "payer": payer, "draft": of}


def _document(
    kind: str, payer: str, step: Step, body: Version | Draft | Step, number: int = 0, **more: Any
) -> dict[str, Any]:
    return {
        "kind": kind,
        "payer": payer,
        "at": step.at,
        "number": number,
        "draft": step.draft or "",
        "body": body.model_dump(mode="json"),
        **more,
    }


def _seen(found: Found) -> Seen:
    return found["_seq_no"], found["_primary_term"]


def _version(found: Found) -> Version:
    return Version.model_validate(found["_source"]["body"])


def _draft(found: Found) -> SeenDraft:
    return SeenDraft(Draft.model_validate(found["_source"]["body"]), _seen(found))


def _step(found: Found) -> Step:
    return Step.model_validate(found["_source"]["body"])
