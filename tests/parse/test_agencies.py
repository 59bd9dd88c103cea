"""What agencies send: subjects, kills and embargoes, and the text of a wire."""

from __future__ import annotations

import pytest

from feeds.errors import ParseError
from feeds.parse import parse_document
from feeds.parse.agencies import is_wire
from feeds.parsed import ParsedFeed

NEWSML = """<newsItem xmlns="http://iptc.org/std/nar/2006-10-01/" guid="urn:newsml:1" xml:lang="en"><itemMeta>
<pubStatus qcode="stat:{status}"/>{embargo}</itemMeta><contentMeta><headline>Harbour wins</headline>
<subject qcode="medtop:20000822"><name xml:lang="de">Fußball</name><name xml:lang="en">association football</name>
<broader qcode="medtop:15000000"><name>sport</name></broader></subject><subject qcode="subj:04007000"/></contentMeta>
<contentSet><inlineData>Two boats more.</inlineData></contentSet></newsItem>"""
NITF = """<nitf><head><tobject><tobject.subject tobject.subject.refnum="15054000" tobject.subject.type="Sport"
tobject.subject.matter="Soccer"/></tobject><docdata management-status="{status}"><doc-id id-string="n1"/>
<date.release norm="20261124T100000Z"/></docdata></head><body><body.head><hedline><hl1>Flood</hl1></hedline>
</body.head><body.content><p>The river rose.</p></body.content></body></nitf>"""
WIRE = (
    "\x16\x16\x01a0501 r i bc-Harbor-Ferry 11-29 0413\x02^BC-Harbor-Ferry,1st Ld-Writethru,a0501<\n"
    "^Council wants second ferry before winter<\n^Eds: UPDATES with quote. With AP Photos.<\n^By JANE DOE=\n"
    "^Associated Press Writer=\n   HARBOR CITY (AP) _ The council of the harbor wants a second\nferry before winter, "
    "its chair said Sunday.\n   ``We need it,'' the chair said _ and meant it.\n\n   AP-NY-11-29-26 1413EST<\n\x03"
)


def terms(feed: ParsedFeed) -> list[str]:
    return [category.term for category in feed.entries[0].categories]


def read(text: str, name: str = "a.xml") -> ParsedFeed:
    return parse_document(text.encode(), name=name)


def test_a_subject_is_known_by_name_by_code_and_by_its_first_level() -> None:
    newsml = terms(read(NEWSML.format(status="usable", embargo="")))
    assert newsml == [
        "association football", "medtop:20000822", "sport", "medtop:15000000", "economy, business and finance",
        "subj:04007000",
    ]  # fmt: skip
    assert terms(read(NITF.format(status="usable"))) == ["Soccer", "sport", "subj:15054000"]


@pytest.mark.parametrize("status", ["canceled", "withheld"])
def test_what_an_agency_takes_back_is_named(status: str) -> None:
    feed = read(NEWSML.format(status=status, embargo=""))
    assert (feed.entries, feed.killed) == ((), ("urn:newsml:1",))
    assert read(NITF.format(status="killed")).killed == ("n1",)


def test_an_embargo_says_until_when() -> None:
    held = NEWSML.format(status="usable", embargo="<embargoed>2027-01-01T00:00:00Z</embargoed>")
    assert read(held).embargoes == ("2027-01-01T00:00:00Z",)
    assert read(NITF.format(status="usable")).embargoes == ("20261124T100000Z",)
    with pytest.raises(ParseError, match="without end"):
        read(NEWSML.format(status="usable", embargo="<embargoed/>"))


def test_the_text_of_a_wire_is_an_article() -> None:
    feed = read(WIRE, "a.txt")
    (entry,) = feed.entries
    assert (entry.entry_id, entry.published) == ("wire:bc-harbor-ferry:112926", "2026-11-29 14:13 EST")
    assert entry.title is not None and entry.title.value == "Council wants second ferry before winter"
    assert [person.name for person in entry.authors] == ["JANE DOE"] and terms(feed) == ["International"]
    assert entry.content is not None
    assert "The council of the harbor wants a second ferry before winter" in entry.content.value
    assert "“We need it,” the chair said — and meant it." in entry.content.value
    for gone in ("Eds:", "AP-NY", "Writethru", "^", "Associated Press Writer"):
        assert gone not in entry.content.value


def test_a_wire_without_control_characters_is_known_by_its_heads() -> None:
    text = "^BC-Harbor-Ferry<\n^Council wants second ferry<\n   HARBOR CITY (AP) _ The council wants a ferry.\n"
    (entry,) = read(text, "a.txt").entries
    assert entry.title is not None and entry.title.value == "Council wants second ferry"
    assert not is_wire(b"^ this way up\n\nA text that begins with an arrow and goes on about it for a while.")


def test_a_kill_names_the_article_of_its_slug_and_day_and_an_embargo_is_refused() -> None:
    kill = WIRE.replace("1st Ld-Writethru", "BULLETIN KILL")
    assert read(kill, "a.txt").killed == ("wire:bc-harbor-ferry:112926",)
    with pytest.raises(ParseError, match="does not name"):
        read(kill.replace("AP-NY-11-29-26", ""), "a.txt")
    with pytest.raises(ParseError, match="embargo"):
        read(WIRE.replace("``We need it", "EMBARGOED FOR RELEASE until Monday ``We need it"), "a.txt")


@pytest.mark.parametrize("text", ['{"alerts": [1]}', "[1, 2]"])
def test_json_of_unknown_kind_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ParseError, match=r"a\.json: JSON, but no JSON Feed") as refused:
        read(text, "a.json")
    assert "save the article as plain text" in refused.value.remedy
