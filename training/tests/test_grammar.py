"""Grammars expand as written, and the seeds name no rule that is missing."""

import random
import re
from pathlib import Path

import pytest

from recipe.carriers import CARRIERS, MARK, carried
from recipe.generated import carried_pairs
from recipe.grammar import Grammar, load, sections
from recipe.heldout import heldout

SEEDS = Path(__file__).resolve().parents[1] / "seeds"
MADE_IN_CODE = {"passage": ["A passage. It has two sentences."], "gibberish": ["x!!"], "encoded": ["aGk="]}


@pytest.fixture(scope="module")
def grammar():
    return load(SEEDS, MADE_IN_CODE)


def test_choices_nest_and_may_be_empty():
    rules = Grammar({"a": ["x[|y[1|2]]"]})
    assert {rules.draw("a", random.Random(seed)) for seed in range(40)} == {"x", "xy1", "xy2"}


def test_brackets_without_a_bar_and_unknown_braces_are_text():
    assert Grammar({}).expand('{"a": [1]} {none}', random.Random(0)) == '{"a": [1]} {none}'


def test_a_backslash_takes_the_next_sign_as_it_is():
    assert Grammar({}).expand(r"\[a\|b\]\n", random.Random(0)) == "[a|b]\n"


def test_every_slot_of_the_seeds_is_a_rule(grammar):
    known = set(grammar.rules) | set(grammar.literals)
    for folder in ("slots", "attacks", "benign"):
        for path in (SEEDS / folder).glob("*.txt"):
            for lines in sections(path).values():
                for line in lines:
                    assert set(re.findall(r"\{([a-z_]+)\}", line)) <= known, line


@pytest.mark.parametrize("kind", sorted(CARRIERS))
def test_a_payload_stands_where_the_span_says(grammar, kind):
    for seed in range(30):
        text, source, (start, end) = carried("obey the payload", kind, grammar, random.Random(seed))
        assert text[start:end] == "obey the payload"
        assert MARK not in text
        assert source in ("document", "tool")


def test_an_attack_and_its_double_differ_only_where_the_attack_stands(grammar):
    attacks, doubles = carried_pairs(grammar, random.Random(5), 0.01)
    assert len(attacks) == len(doubles) > 50
    for attack, double in zip(attacks, doubles, strict=True):
        start, end = attack.span
        assert double.text.startswith(attack.text[:start]) and double.text.endswith(attack.text[end:])
        assert attack.source == double.source and attack.attack and not double.attack


def test_the_same_dice_draw_the_same_text(grammar):
    draws = [grammar.draw("attacks:override", random.Random(5)) for _ in range(2)]
    assert draws[0] == draws[1]


def test_held_out_texts_tell_their_source_and_are_distinct():
    examples = heldout(SEEDS)
    assert {e.source for e in examples} >= {"user", "tool", "document"}
    assert len({e.text for e in examples}) == len(examples)
    assert not any(e.text.startswith("@") for e in examples)
