"""What is published at one moment, ready to be answered from: documents, config, addresses. Pure but for the reader.

A snapshot follows another by what was published between them. Only its bodies, which are bounded, come and go.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from feeds.serve.addresses import Addresses, document_path
from feeds.serve.reader import Changes, Desk, Reader
from feeds.serve.representations import Finished, finish_document


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What is published at one moment. *finished* is keyed by path as WSGI gives it, with and without prefix.

    *accepted* is None until a first config is: then *desk* holds the defaults. *bodies* gives the bytes that each
    document's bodies take, by its path, for those that are in memory. *epoch* moves with everything but documents:
    config, retractions, sections. What was drawn from a section holds while `state_of` gives the same.
    """

    counter: int
    epoch: int = 0
    accepted: Desk | None
    desk: Desk
    addresses: Addresses
    finished: dict[str, Finished] = field(default_factory=dict)
    bodies: dict[str, int] = field(default_factory=dict)

    def state_of(self, path: str) -> tuple[int, str]:
        """Return what changes whenever the articles of a section do: the epoch, and an ETag of its documents."""
        finished = self.finished.get(self._keys(document_path(path, "json"))[0])
        return self.epoch, next(iter(finished.by_etag), "") if finished is not None else ""

    def keep(self, address: str, finished: Finished, max_bodies_bytes: int) -> None:
        """Take the bodies of a document whose validators are here; another's may have to go for them."""
        known = self.finished.get(self._keys(address)[0])
        # What was published meanwhile comes with the next look, and takes nothing back.
        if known is None or known.variants or known.exact.keys() != finished.exact.keys():
            return
        if finished.size_bytes > max_bodies_bytes // 4:
            return
        room = max_bodies_bytes - sum(self.bodies.values()) - finished.size_bytes
        while room < 0 and self.bodies:
            oldest = next(iter(self.bodies))
            room += self.bodies[oldest]
            self._put(oldest, self.finished[self._keys(oldest)[0]], whole=False)
        self._put(address, finished, whole=True)

    def _put(self, address: str, finished: Finished, *, whole: bool) -> None:
        if whole:
            self.bodies[address] = finished.size_bytes
        else:
            self.bodies.pop(address, None)
            finished = replace(finished, variants={})
        for key in self._keys(address):
            self.finished[key] = finished

    def _take(self, changes: Changes, max_bodies_bytes: int) -> None:
        if not changes.only_documents:
            present = {document_path(path, format) for path, format in changes.present}
            for key in [*self.finished]:
                address = self.addresses.strip_prefix(key).encode("latin-1").decode()
                if address not in present:
                    self.bodies.pop(address, None)
                    del self.finished[key]
        for document in changes.documents:
            self.bodies.pop(document_path(document.path, document.format), None)
        room = max_bodies_bytes - sum(self.bodies.values())
        for document in changes.documents:
            prepared = finish_document(document, self.desk.settings, self.addresses)
            room -= prepared.size_bytes
            self._put(document_path(document.path, document.format), prepared, whole=room >= 0)

    def _keys(self, address: str) -> list[str]:
        """The values of PATH_INFO that mean *address*: WSGI carries UTF-8 as Latin-1 (PEP 3333)."""
        keys = [
            key for key in (address, self.addresses.prefix + address) if self.addresses.strip_prefix(key) == address
        ]
        return [key.encode().decode("latin-1") for key in dict.fromkeys(keys)]


def take_over(reader: Reader, old: Snapshot | None, max_bodies_bytes: int) -> Snapshot:
    """Return the snapshot that follows *old*: what was published since, or everything where there is none.

    Where nothing but documents was published, the config is not even read, and the epoch stays.
    """
    if old is not None:
        changes = reader.changes(old.counter)
        accepted = old.accepted if changes.only_documents else reader.desk()
        if accepted == old.accepted:
            new = replace(
                old,
                counter=changes.counter,
                epoch=old.epoch + (not changes.only_documents),
                finished=dict(old.finished),
                bodies=dict(old.bodies),
            )
            new._take(changes, max_bodies_bytes)
            return new
    else:
        accepted = reader.desk()
    # Other settings mean other headers: everything is prepared anew.
    changes = reader.changes(0)
    desk = accepted or Desk()
    new = Snapshot(
        counter=changes.counter,
        epoch=0 if old is None else old.epoch + 1,
        accepted=accepted,
        desk=desk,
        addresses=Addresses.of(desk.settings.base_url, desk.sections),
    )
    new._take(changes, max_bodies_bytes)
    return new
