"""What recurs in the last documents of a source or a site."""

from feeds.recurring import DOCUMENTS_KEPT, LINES_KEPT, Recurring, Shown, line_hash, mark_of, of_blob


def shown(number: int, *lines: int) -> Shown:
    return Shown(number, lines)


def test_it_is_kept_as_bytes() -> None:
    known = Recurring().with_([shown(1, 7, 8), shown(2), shown(3, (1 << 64) - 1)])
    assert of_blob(known.blob()) == known
    assert of_blob(b"") == Recurring()


def test_damaged_bytes_are_learnt_again() -> None:
    blob = Recurring().with_([shown(1, 7, 8)]).blob()
    assert of_blob(blob[:-3]) == of_blob(b"x") == Recurring()
    assert of_blob(blob + b"\xff" * 16).documents == (shown(1, 7, 8),)


def test_it_is_bounded_and_forgets_the_oldest() -> None:
    known = Recurring()
    for number in range(100):
        known = known.with_([shown(number, *range(500))])
    assert len(known.documents) == DOCUMENTS_KEPT
    assert known.documents[-1].mark == 99
    assert len(known.blob()) <= DOCUMENTS_KEPT * (LINES_KEPT + 2) * 8


def test_a_document_that_comes_again_counts_once() -> None:
    known = Recurring().with_([shown(1, 7), shown(1, 7), shown(2, 7, 7)])
    assert known.counts[7] == 2


def test_lines_are_the_same_by_their_words_at_one_place() -> None:
    assert line_hash("Read  more!", "end") == line_hash("read more", "end") != line_hash("read more", "begin")
    assert mark_of("a", "b") != mark_of("ab", "")
