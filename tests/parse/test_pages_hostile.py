"""Pages that no editor wrote: they are read, or refused as what they are, and nothing else comes out."""

import pytest

from feeds.parse import parse_page

TEXT = "<p>The new wall keeps the old town dry at the highest spring tides, and it cost less than was feared.</p>" * 4


@pytest.mark.parametrize(
    "odd", ["&#1;", "&#x1F;", "&#0;", "&#xFFFF;", '<n">x</n">', "<a:b:c>x</a:b:c>", "<1x>", "<x\x01y>z"]
)
@pytest.mark.parametrize("page", ["<body>{odd} words{text}", "<article><p>{odd}</p>{odd}{text}</article>"])
def test_marks_that_may_be_read_and_not_written_end_no_page(odd: str, page: str) -> None:
    body = page.format(odd=odd, text=TEXT)
    entry = parse_page(body.encode(), url="https://coast.example/a").entries[0]
    assert entry.content is not None and "The new wall" in entry.content.value
