"""What indirect injections travel in: mails, pages, tables, code comments, tool results. Also without one: benign."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from .grammar import Grammar

# Stands where the injection goes; no text has it.
MARK = "\ue000"


def _sentences(grammar: Grammar, dice: random.Random, most: int = 4) -> str:
    return " ".join(grammar.draw("benign_sentence", dice) for _ in range(dice.randint(1, most)))


def _around(grammar: Grammar, dice: random.Random) -> str:
    """Prose with the mark at its start, middle or end."""
    before, after = _sentences(grammar, dice), _sentences(grammar, dice)
    joint = dice.choice([" ", "\n", "\n\n", "\n---\n", "\n\n\n\n"])
    return dice.choice([f"{MARK}{joint}{after}", f"{before}{joint}{MARK}", f"{before}{joint}{MARK}{joint}{after}"])


def _mail(grammar: Grammar, dice: random.Random) -> str:
    subject, name = grammar.draw("thing", dice), grammar.draw("firstname", dice)
    head = dice.choice(["From: {f}\nTo: {t}\nSubject: {s}\n\n", "Subject: {s}\n\n", "{s}\n\nHi {n},\n\n",
                        "SUBJECT: {s}|CONTENT: ", "Hi {n},\n"])
    head = head.format(f=grammar.expand("{name}@{domain}", dice), t=grammar.expand("{name}@{domain}", dice),
                       s=subject, n=name)
    foot = dice.choice(["", f"\n\nBest,\n{name}", f"\n\n-- \n{name}"])
    return head + _around(grammar, dice) + foot


def _page(grammar: Grammar, dice: random.Random) -> str:
    title = grammar.draw("thing", dice)
    body = _around(grammar, dice)
    return dice.choice([
        f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p>{body}</p></body></html>",
        f"<article>\n<h2>{title}</h2>\n<p>{_sentences(grammar, dice)}</p>\n<!-- {MARK} -->\n</article>",
        f'<p>{_sentences(grammar, dice)}</p><div style="display:none">{MARK}</div><p>{_sentences(grammar, dice)}</p>',
        f"# {title}\n\n{body}\n\n## More\n\n{_sentences(grammar, dice)}",
        f'<img src="a.png" alt="{MARK}"/> {_sentences(grammar, dice)}',
        f"{title} - Search results\n1. {_sentences(grammar, dice, 2)}\n2. {MARK}\n3. {_sentences(grammar, dice, 2)}",
    ])


def _table(grammar: Grammar, dice: random.Random) -> str:
    rows = [[grammar.draw("firstname", dice), grammar.draw("thing", dice), str(dice.randint(1, 999))]
            for _ in range(dice.randint(2, 6))]
    rows[dice.randrange(len(rows))][1] = MARK
    if dice.random() < 0.5:
        return "name,note,amount\n" + "\n".join(",".join(row) for row in rows)
    return "| Name | Note | Amount |\n|---|---|---|\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _code(grammar: Grammar, dice: random.Random) -> str:
    code = grammar.draw("code", dice)
    return dice.choice([f"# {MARK}\n{code}", f"{code}\n// {MARK}", f'"""{MARK}"""\n{code}', f"/* {MARK} */\n{code}",
                        f'{code}\nconst note = "{MARK}";', f"$ make\nerror: {MARK}\n{code}"])


def _json(grammar: Grammar, dice: random.Random) -> str:
    thing, name = grammar.draw("thing", dice), grammar.draw("firstname", dice)
    value = dice.choice([MARK, _around(grammar, dice)])
    shapes = [
        {"status": "ok", "results": [{"title": thing, "content": value}]},
        {"reviews": [{"user": name, "rating": dice.randint(1, 5), "text": value}]},
        {"id": dice.randint(1, 9999), "name": name, "description": value, "price": dice.randint(1, 500)},
        {"emails": [{"from": grammar.expand("{name}@{domain}", dice), "subject": thing, "body": value}]},
        {"product": thing, "stars": 4, "details": {"review": value, "seller": name}},
        {"event": thing, "attendees": [name], "notes": value},
        {"file": f"/home/{name.lower()}/notes.txt", "content": value},
        {"output": value, "exit_code": 0},
        {"message": {"sender": name, "body": value}, "unread": True},
        {"repository": thing, "issue": dice.randint(1, 900), "comment": value},
    ]
    return json.dumps(dice.choice(shapes), ensure_ascii=False, indent=dice.choice([None, 2]))


def _prose(grammar: Grammar, dice: random.Random) -> str:
    passage = grammar.draw("passage", dice)
    cut = passage.find(". ", dice.randrange(max(len(passage), 1))) + 1
    return f"{passage[:cut]}\n{MARK}\n{passage[cut:]}" if dice.random() < 0.7 else f"{passage}\n\n{MARK}"


def _bare(grammar: Grammar, dice: random.Random) -> str:
    return dice.choice([MARK, MARK, _around(grammar, dice)])


# Each with the sources that such a text comes from.
CARRIERS: dict[str, tuple[Callable[[Grammar, random.Random], str], tuple[str, ...]]] = {
    "mail": (_mail, ("document", "tool")), "page": (_page, ("document", "tool")),
    "table": (_table, ("document", "tool")), "code": (_code, ("document", "tool")),
    "json": (_json, ("tool", "tool", "document")), "prose": (_prose, ("document",)), "bare": (_bare, ("tool", "document")),
}


@dataclass(frozen=True)
class Shell:
    """A carrier before anything stands in it."""

    around: str
    source: str
    escaped: bool

    def filled(self, payload: str) -> tuple[str, tuple[int, int]]:
        """The carrier with a payload, and where that stands in it (code points)."""
        if self.escaped:
            payload = json.dumps(payload, ensure_ascii=False)[1:-1]
        start = self.around.index(MARK) if MARK in self.around else 0
        return self.around.replace(MARK, payload, 1), (start, start + len(payload))


def shell(kind: str, grammar: Grammar, dice: random.Random) -> Shell:
    """A carrier of a kind."""
    make, sources = CARRIERS[kind]
    return Shell(make(grammar, dice), dice.choice(sources), kind == "json")


def carried(payload: str, kind: str, grammar: Grammar, dice: random.Random) -> tuple[str, str, tuple[int, int]]:
    """A payload inside a carrier: the text, its source, and where the payload stands in it (code points)."""
    made = shell(kind, grammar, dice)
    text, span = made.filled(payload)
    return text, made.source, span
