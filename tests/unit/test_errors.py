"""Errors travel between processes as they are, and every one says what it is."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from growqr import errors
from growqr.errors import GrowqrError


def tree(root: type[GrowqrError] = GrowqrError) -> Iterator[type[GrowqrError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from tree(child)


KINDS = list(tree())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling(kind: type[GrowqrError]) -> None:
    error = kind("no thread 'thr_1'", {"field": "thread_id"})
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert (again.message, again.detail) == (error.message, error.detail)
        assert str(again) == "no thread 'thr_1'"
        assert (again.code, again.status, again.retryable) == (
            kind.code,
            kind.status,
            kind.retryable,
        )


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_without_words_its_own_docstring_speaks(kind: type[GrowqrError]) -> None:
    assert kind().message == (kind.__doc__ or "").strip().splitlines()[0]
    assert kind().detail == {}


def test_the_tree_is_drawn_completely_and_codes_are_distinct() -> None:
    drawn = (errors.__doc__ or "").split()
    assert [kind.__name__ for kind in KINDS if kind.__name__ not in " ".join(drawn)] == []
    codes = [kind.code for kind in KINDS]
    assert sorted(set(codes)) == sorted(codes)


def test_what_is_answered_with_retry_after_may_be_tried_again() -> None:
    assert all(kind.retryable for kind in KINDS if kind.status in (429, 503))
    assert not any(kind.retryable for kind in KINDS if kind.status in (400, 401, 404, 422, 500))
