"""Folding, tokens and hashes are those of FORMAT.md."""

import numpy as np
import pytest

from recipe.features import LinearShape, Table, matrix, slices, windows
from recipe.text import FNV_OFFSET, FNV_PRIME, codes, finalise, folded, ngram_hashes, symbols, tokens, word_hash


def test_spaces_join_letters_fall_and_digits_become_zero():
    assert folded("  Ignore\t\n ALL\u3000123 \u00a0") == "ignore all 000"


def test_a_letter_whose_lower_case_is_two_code_points_stays():
    assert folded("İx") == "İx"


@pytest.mark.parametrize(("text", "expected"), [
    ("ignore all", ["ignore", "all"]),
    ("##### <|", ["###", "<", "|"]),
    ("你好 мир", ["你", "好", "мир"]),
    ("don't", ["don", "'", "t"]),
    ("", []),
])
def test_tokens_are_words_ideographs_and_short_runs_of_a_symbol(text, expected):
    assert tokens(folded(text)) == expected


def test_symbols_are_counted_uncut():
    assert symbols("##### a!") == 6


def test_ngram_hashes_agree_with_the_definition():
    units = codes("abcd")
    for length in (1, 2, 3):
        expected = []
        for at in range(len(units) - length + 1):
            state = 5
            for unit in units[at:at + length]:
                state = ((state ^ int(unit)) * FNV_PRIME) & 0xFFFFFFFF
            expected.append(state)
        assert ngram_hashes(units, length, length, 5).tolist() == expected


def test_too_short_a_text_has_no_ngrams():
    assert len(ngram_hashes(codes("ab"), 3, 5, 1)) == 0


def test_the_finaliser_is_murmurs():
    assert finalise(np.array([1], dtype=np.uint32)).tolist() == [0x514E28B7]


def test_an_empty_word_hashes_to_the_offset():
    assert word_hash("") == FNV_OFFSET


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 15, 16, 100])
def test_windows_cover_the_text_and_the_last_ends_with_it(length):
    starts = windows(length, 10, 5)
    covered = {at for start in starts for at in range(start, min(start + 10, length))}
    assert covered == set(range(length))
    assert starts == sorted(set(starts))
    assert length <= 10 or starts[-1] == length - 10


def test_a_table_for_tools_says_nothing_of_users():
    shape = LinearShape((Table("word", 1, 1, 256, 1, ("tool",)),), 100, 50)
    assert matrix(["hello you"], ["user"], shape).nnz == 0
    assert matrix(["hello you"], ["tool"], shape).nnz == 2


def test_a_windows_features_have_length_one_a_table():
    shape = LinearShape((Table("char", 3, 5, 1 << 12, 1), Table("word", 1, 2, 1 << 10, 2)), 100, 50)
    row = matrix(slices("Some text of no great length.", shape), ["user"], shape).toarray()[0]
    assert np.isclose((row[:1 << 12] ** 2).sum(), 1.0)
    assert np.isclose((row[1 << 12:] ** 2).sum(), 1.0)
