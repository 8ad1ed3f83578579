"""Generated examples: attacks and everyday texts drawn from the grammars, family by family."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

from . import obfuscate
from .carriers import CARRIERS, shell
from .example import Example
from .grammar import Grammar

# Attack families in the user's own turn, and how many texts of each a full run draws.
DIRECT = {"classic": 1600, "override": 2700, "extraction": 2300, "secrets": 1200, "persona": 1800, "fiction": 1200,
          "prefix": 1200, "modes": 1100, "schemes": 1300, "pressure": 1300, "gradual": 700, "fake_turn": 1300,
          "split": 700, "many_shot": 400, "suffix": 500, "decode": 700}
INDIRECT = {"indirect": 3000, "tool_plain": 1200, "bipia": 1200, "exfil": 800, "toolcall": 800, "poison": 800,
            "comment": 700}
BENIGN = {"trigger": 10000, "quoted": 3000, "personas": 2200, "chat": 11000, "document": 5500, "orders": 2000,
          "system": 1800, "developer": 4500}
LANGUAGES = {"attacks": 6500, "benign": 8000}
FAMILIES = (*DIRECT, *INDIRECT, "languages")
# What stands in a carrier that carries no attack.
_IN_ITS_PLACE = (*["benign_sentence"] * 3, *["orders"] * 2, "security_doc", "benign:document")
# What carries a family that does not turn up everywhere.
_KINDS = {"tool_plain": ("json", "mail", "bare"), "comment": ("code", "code", "bare")}


def gibberish(dice: random.Random, words: list[str]) -> str:
    """A run of odd tokens, as gradient searches for suffixes leave behind."""
    pieces = []
    for _ in range(dice.randint(8, 24)):
        word = dice.choice(words)
        mark = "".join(dice.choice("!\\]}{+(;-\"'=<>*@#$_[:/") for _ in range(dice.randint(1, 3)))
        pieces.append(dice.choice([word, word.capitalize(), mark, word + mark, mark + word,
                                   word + dice.choice(words).capitalize(), "".join(dice.choices(string.ascii_letters, k=4))]))
    return " ".join(pieces)


def _direct(family: str, count: int, grammar: Grammar, dice: random.Random, words: list[str]) -> Iterator[Example]:
    for _ in range(count):
        if family == "suffix":
            grammar.literals["gibberish"] = [gibberish(dice, words)]
        if family == "decode":
            plain = grammar.draw(dice.choice(["override_clause", "harm_request", "do_bare"]), dice)
            grammar.literals["encoded"] = [obfuscate.encoded(plain, dice)]
        yield Example(grammar.draw(f"attacks:{family}", dice), "user", True, family)


def _carried(family: str, count: int, grammar: Grammar, dice: random.Random) -> Iterator[tuple[Example, Example]]:
    """Attacks in carriers, each with its double: the same carrier with everyday words where the attack stands."""
    kinds = _KINDS.get(family, tuple(CARRIERS))
    for _ in range(count):
        around = shell(dice.choice(kinds), grammar, dice)
        text, span = around.filled(grammar.draw(f"attacks:{family}", dice))
        everyday, _ = around.filled(grammar.draw(dice.choice(_IN_ITS_PLACE), dice))
        yield Example(text, around.source, True, family, span), Example(everyday, around.source, False, "carriers")


def _provenance(count: int, grammar: Grammar, dice: random.Random) -> Iterator[Example]:
    """What would be an injection in a tool's result is an ordinary wish of the user's own."""
    frames = ["Please {agent_act}.", "{agent_act}.", "Can you {agent_act}?", "{agent_act}, thanks!",
              "I need you to {agent_act}.", "hey, {agent_act}", "{benign_sentence} {agent_act}."]
    for _ in range(count):
        text = grammar.expand(dice.choice(frames), dice)
        for theirs, mine in (("the user's", "my"), ("The user's", "My"), ("the user", "my wife"), ("your answer", "the page")):
            text = text.replace(theirs, mine)
        if not any(word in text for word in ("hacked", "PWNED", "pwned", "your ", "ccess granted", "ACCESS", "rm -rf", "say ", "secrets", "tell ")):
            yield Example(text, "user", False, "provenance")


def attacks(grammar: Grammar, dice: random.Random, scale: float, words: list[str]) -> list[Example]:
    """All generated attacks in the user's own turn; `scale` 1.0 is a full run."""
    found: list[Example] = []
    for family, count in DIRECT.items():
        found += _direct(family, int(count * scale), grammar, dice, words)
    found += _languages("attacks", int(LANGUAGES["attacks"] * scale), grammar, dice)
    return found


def carried_pairs(grammar: Grammar, dice: random.Random, scale: float) -> tuple[list[Example], list[Example]]:
    """All generated attacks that something carries, and their everyday doubles: what surrounds both tells nothing."""
    # The direct ways of taking over turn up in documents too.
    counts = {**INDIRECT, **dict.fromkeys(("override", "extraction", "fake_turn", "persona"), 350)}
    pairs = [pair for family, count in counts.items() for pair in _carried(family, int(count * scale), grammar, dice)]
    return [attack for attack, _ in pairs], [double for _, double in pairs]


def _languages(kind: str, count: int, grammar: Grammar, dice: random.Random) -> Iterator[Example]:
    names = [name for name in grammar.rules if name.startswith(f"{kind}:lang/")]
    for name in dice.choices(names, [len(grammar.rules[name]) for name in names], k=count):
        text = grammar.draw(name, dice)
        other = dice.random()
        if other < 0.15:
            text = f"{text} {grammar.draw(name, dice)}"
        elif other < 0.3:
            everyday = name.replace("attacks:", "benign:")
            everyday = everyday if everyday in grammar.rules else "benign:lang/other"
            text = f"{grammar.draw(everyday, dice)} {text}" if kind == "attacks" else text
        source = "user" if dice.random() < 0.75 else dice.choice(["document", "tool"])
        yield Example(text, source, kind == "attacks", "languages" if kind == "attacks" else "languages-benign")


def benign(grammar: Grammar, dice: random.Random, scale: float) -> list[Example]:
    """All generated everyday texts; `scale` 1.0 is a full run."""
    found: list[Example] = []
    sources = {"document": ("document", "tool"), "system": ("system", "system", "user"),
               "orders": ("document", "tool", "user"), "developer": ("user", "user", "system")}
    for family, count in BENIGN.items():
        for _ in range(int(count * scale)):
            source = dice.choice(sources.get(family, ("user",)))
            found.append(Example(grammar.draw(f"benign:{family}", dice), source, False, family))
    for _ in range(int(1000 * scale)):
        plain = grammar.draw(dice.choice(["benign_request", "benign_sentence", "benign_question"]), dice)
        frame = dice.choice(["{} decode this", "What does this say: {}", "{}", "Decode the base64 string {}",
                             "Translate from Morse code: {}", "convert {} to text", "my file contains {} - what is it?"])
        found.append(Example(frame.format(obfuscate.encoded(plain, dice)), "user", False, "encoded-benign"))
    found += _provenance(int(1500 * scale), grammar, dice)
    found += _languages("benign", int(LANGUAGES["benign"] * scale), grammar, dice)
    return found


def disguised(examples: list[Example], share: float, dice: random.Random) -> list[Example]:
    """A share of the examples in disguise, attacks and everyday texts alike."""
    found = []
    for example in examples:
        if dice.random() < share and len(example.text) < 1500:
            ways = obfuscate.SLOPPY if dice.random() < 0.65 else obfuscate.DISGUISES
            change = dice.choice(list(ways.values()))
            found.append(example.with_text(change(example.text, dice)))
    return found
