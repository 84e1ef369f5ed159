"""Documents of authorizations: a document of Elasticsearch each, beside its content in a folder.

The content is there first: what is listed can be read.
"""

import asyncio
import contextlib
import hashlib
import shlex
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from elasticsearch import AsyncElasticsearch

from service.domain.actor import Actor
from service.domain.document import (
    Document,
    DocumentKind,
    DocumentRefused,
    document_id,
    media_type_of,
)
from service.domain.engine_fault import EngineFault
from service.settings import Settings
from service.stores.connection import names
from service.stores.connection.bulk import Operation, run_bulk
from service.stores.connection.clock import now
from service.stores.connection.faults import translated_errors
from service.stores.connection.names import IndexNames
from service.stores.connection.reading import Order, read_one, read_page
from service.stores.connection.sealing import Seal
from service.stores.documents._folder import DocumentFolder

OF_ONE_MAX = 200
"""So many documents an authorization may have."""
_OLDEST_FIRST: Order = [({"added_at": "asc"}, int), ({"document_id": "asc"}, str)]
_OWNERS_MAX = 10_000
_SCANNER = "scanner"
_CLEAN, _REFUSED = 0, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A document as somebody sends it: its content, the media type that he says, what it is."""

    content: bytes
    said: str = ""
    kind: DocumentKind = "letter"


@dataclass(frozen=True, slots=True)
class Scanner:
    """``command`` reads the document from stdin: 0 takes it, 1 refuses it, all else is a fault.

    No shell reads the command, and it is given ``patience_s`` seconds.
    """

    command: str
    patience_s: float

    async def scan(self, content: bytes) -> None:
        """Look at a document; raises DocumentRefused, EngineFault where the command fails."""
        try:
            child = await asyncio.create_subprocess_exec(
                *shlex.split(self.command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
        except (OSError, ValueError) as error:
            raise EngineFault(_SCANNER, "the command cannot be started") from error
        try:
            async with asyncio.timeout(self.patience_s):
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    await child.communicate(content)
                code = await child.wait()
        except TimeoutError as late:
            raise EngineFault(_SCANNER, "the command did not end in time") from late
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        if code == _REFUSED:
            raise DocumentRefused("the scanner refuses it")
        if code != _CLEAN:
            raise EngineFault(_SCANNER, f"the command ended with exit code {code}")


class Documents:
    """Keeps documents and gives them back; raises EngineFault."""

    def __init__(
        self, elasticsearch: AsyncElasticsearch, indices: IndexNames, seal: Seal, settings: Settings
    ) -> None:
        """Without a folder no document is taken."""
        self._elasticsearch = elasticsearch
        self._indices = indices
        root, command = settings.documents_dir, settings.document_scan_command
        self._folder = DocumentFolder(root, seal) if root else None
        patience_s = settings.document_scan_s
        self._scanner = Scanner(command, patience_s) if command else None
        self.bytes_max = settings.document_bytes_max

    async def add(
        self, payer: str, authorization_id: str, paper: Paper, actor: Actor
    ) -> tuple[Document, bool]:
        """Keep a document, and tell whether it is new; raises DocumentRefused."""
        folder = self._there()
        media_type = await asyncio.to_thread(media_type_of, paper.content, paper.said)
        sha256 = hashlib.sha256(paper.content).hexdigest()
        if self._scanner:
            await self._scanner.scan(paper.content)
        await asyncio.to_thread(folder.put, payer, sha256, paper.content)
        made = Document(
            document_id=document_id(authorization_id, sha256),
            authorization_id=authorization_id,
            sha256=sha256,
            media_type=media_type,
            bytes=len(paper.content),
            kind=paper.kind,
            is_scanned=self._scanner is not None,
            added_at=now(),
            by=actor.by,
            on_behalf_of=actor.on_behalf_of or None,
        )
        operation = Operation(
            action="create",
            index=self._indices.documents,
            id=names.document_id(payer, made.document_id),
            document={"payer": payer, **asdict(made)},
        )
        (written,) = await run_bulk(self._elasticsearch, [operation])
        if written.ok:
            return made, True
        return await self.read(payer, made.document_id) or made, False

    async def read(self, payer: str, name: str) -> Document | None:
        """Give a document without its content, in realtime; None where there is none."""
        index, key = self._indices.documents, names.document_id(payer, name)
        found = await read_one(self._elasticsearch, index, key)
        return _document(found["_source"]) if found else None

    async def content(self, payer: str, document: Document) -> bytes:
        """Give the content of a document."""
        return await asyncio.to_thread(self._there().get, payer, document.sha256)

    async def of(self, payer: str, authorization_id: str) -> list[Document]:
        """Give the documents of an authorization, the oldest first."""
        clauses = [{"term": {"payer": payer}}, {"term": {"authorization_id": authorization_id}}]
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.documents)
        found = await read_page(
            self._elasticsearch,
            self._indices.documents,
            clauses,
            lambda each: _document(each["_source"]),
            order=_OLDEST_FIRST,
            size=OF_ONE_MAX,
            after=None,
        )
        return list(found.entries)

    async def with_some(self, payer: str, ids: Collection[str]) -> set[str]:
        """Tell which of some authorizations have a document."""
        if not ids:
            return set()
        clauses = [{"term": {"payer": payer}}, {"terms": {"authorization_id": sorted(ids)}}]
        with translated_errors():
            await self._elasticsearch.indices.refresh(index=self._indices.documents)
            response = await self._elasticsearch.search(
                index=self._indices.documents,
                query={"bool": {"filter": clauses}},
                aggs={"of": {"terms": {"field": "authorization_id", "size": _OWNERS_MAX}}},
                size=0,
                allow_partial_search_results=False,
            )
        return {each["key"] for each in response["aggregations"]["of"]["buckets"]}

    def reseal(self) -> Iterator[bool]:
        """Seal anew what is not under the first key; tells of each whether it was."""
        return self._folder.reseal() if self._folder else iter(())

    def _there(self) -> DocumentFolder:
        if self._folder is None:
            raise EngineFault("documents", "there is no folder: AUTHMATCH_DOCUMENTS_DIR names one")
        return self._folder


def _document(source: dict[str, Any]) -> Document:
    return Document(**{name: each for name, each in source.items() if name != "payer"})
