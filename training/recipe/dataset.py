"""The data of one run: public and generated examples, near-duplicates gone, split into train, calibration and test.

Attack families are public ones (named in `PUBLIC_ATTACKS`) and generated ones. Benign families in `UNSEEN_BENIGN` are
never trained on; of the others a fixed share goes to calibration and to the test.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import duplicates, generated, grammar as grammars, public
from .stdlib import stdlib
from .carriers import carried
from .example import Example

PUBLIC_ATTACKS = ("deepset", "jailbreaks", "bipia-public", "extraction-public")
UNSEEN_BENIGN = ("clinc-oos", "mt-bench", "presidio", "bipia-email", "bipia-code")
# What these ask for would be suspicious in a document or a tool's result.
_USERS_ONLY = ("provenance", "chat", "personas", "trigger", "self-instruct", "user-oriented", "mt-bench", "roleplay",
               "clinc", "clinc-oos", "codegen", "toolformer")
_CALIBRATION, _TEST = 0.14, 0.10


@dataclass
class Data:
    """Examples of a run. `attacks` are whole families: the split by family is the evaluation's to make."""

    attacks: list[Example] = field(default_factory=list)
    train_benign: list[Example] = field(default_factory=list)
    calibration: list[Example] = field(default_factory=list)
    test_benign: list[Example] = field(default_factory=list)


def literals(root: Path, dice: random.Random) -> dict[str, list[str]]:
    """Fillers from the public data: questions, goals of jailbreaks, passages."""
    questions = dice.sample(public.texts(root, "clinc"), 1500) + dice.sample(public.texts(root, "banking"), 500)
    passages = [text for text in dice.sample(public.responses(root), 4000) if 150 < len(text) < 2500]
    told = passages[:1500] + dice.sample(public.texts(root, "gsm8k"), 2500)
    return {"benign_question": questions, "passage": passages, "harm_request": public.harmful(root),
            "benign_sentence": [s for s in (text.split(". ")[0].rstrip(".") + "." for text in told)
                                if 20 < len(s) < 200 and "?" not in s]}


def _capped(examples: list[Example], most: int, dice: random.Random) -> list[Example]:
    return examples if len(examples) <= most else dice.sample(examples, most)


def _unique(examples: list[Example]) -> list[Example]:
    return [examples[index] for index in duplicates.distinct([example.text for example in examples])]


def _public_attacks(root: Path, grammar: grammars.Grammar, dice: random.Random) -> list[Example]:
    found = [Example(text, "user", True, "deepset") for text, injected in public.deepset(root) if injected]
    found += [Example(text, "user", True, "jailbreaks") for _, text in public.jailbreaks(root)]
    found += [Example(text, "user", True, "extraction-public") for text in public.extraction(root)]
    for text in public.bipia_attacks(root):
        for kind in ("bare", "mail", "table", "prose", "code"):
            whole, source, span = carried(text, kind, grammar, dice)
            found.append(Example(whole, source, True, "bipia-public", span))
    return found


def _moved(examples: list[Example], share: float, dice: random.Random, sources: tuple[str, ...]) -> list[Example]:
    """The examples, a share of them as if they had come from elsewhere; wishes that only a user may utter stay."""
    return [replace(example, source=dice.choice(sources))
            if example.source == "user" and example.family not in _USERS_ONLY and dice.random() < share else example
            for example in examples]


def _replies(root: Path, dice: random.Random) -> list[Example]:
    """Replies of GPTeacher as documents and results of tools: prose and code that ask nothing of a model."""
    return [Example(text, dice.choice(("document", "tool", "user")), False, "replies")
            for text in dice.sample(public.responses(root), 3600) if len(text) > 60]


def _public_benign(root: Path, dice: random.Random) -> list[Example]:
    by_family: dict[str, list[Example]] = {"replies": _replies(root, dice), "stdlib": stdlib(dice)}
    for example in public.benign(root):
        by_family.setdefault(example.family, []).append(example)
    return [example for family, group in by_family.items()
            for example in _capped(group, public.BENIGN.get(family, (None, "", 10**9))[2], dice)]


def assemble(root: Path, seeds: Path, seed: int, scale: float) -> Data:
    """All data of a run; the same for the same arguments."""
    dice = random.Random(seed)
    grammar = grammars.load(seeds, literals(root, dice))
    words = sorted({word for text in grammar.literals["passage"][:400] for word in text.split() if word.isalpha()})
    attacks = _unique(_public_attacks(root, grammar, dice))
    hidden, doubles = generated.carried_pairs(grammar, dice, scale)
    attacks += _unique(generated.attacks(grammar, dice, scale, words) + hidden)
    attacks = _moved(attacks, 0.12, dice, ("document", "tool", "system"))
    everyday = _moved(_public_benign(root, dice), 0.25, dice, ("document", "tool"))
    everyday += _moved(generated.benign(grammar, dice, scale), 0.06, dice, ("document", "tool")) + doubles
    dice.shuffle(everyday)
    data = Data(attacks=attacks)
    for example in _unique(everyday):
        roll = dice.random()
        if example.family in UNSEEN_BENIGN:
            (data.test_benign if roll < 0.6 else data.calibration).append(example)
        elif roll < _CALIBRATION:
            data.calibration.append(example)
        elif roll < _CALIBRATION + _TEST:
            data.test_benign.append(example)
        else:
            data.train_benign.append(example)
    data.train_benign += generated.disguised(data.train_benign, 0.12, dice)
    data.attacks += generated.disguised(data.attacks, 0.15, dice)
    return data
