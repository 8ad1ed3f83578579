"""The figures of a run and the model card that states them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from .evaluate import FOLDS, GROUPS, Share
from .export import Origin

_HELD_BENIGN, _HELD_ATTACK = "heldout-", "held-"
_FIELD_BENIGN, _FIELD_ATTACK = "field-benign-", "field-attack-"


@dataclass(frozen=True)
class Figures:
    """What a run measured. Shares carry 95 % intervals; `unseen` is by family, then by stage and operating point."""

    unseen: dict[str, dict[str, Share]]
    thresholds: dict[str, float]
    benign: dict[str, Share]
    heldout: dict[str, dict[str, Share]]
    obfuscation: dict[str, Share]
    calibration_error: float
    gate_share: float
    core_tried: bool
    attacks: int
    benign_count: int
    calibration: int
    onnx_gap: float

    def plain(self) -> dict:
        """As JSON has it."""
        return asdict(self)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def mean_of(shares: list[Share]) -> str:
    """The plain mean over families, with the interval that their sizes give."""
    mean = float(np.mean([s.value for s in shares]))
    spread = 1.96 * float(np.sqrt(sum(s.value * (1 - s.value) / max(s.count, 1) for s in shares))) / len(shares)
    return f"{100 * mean:.1f} % ± {100 * spread:.1f}"


def _unseen(figures: Figures) -> str:
    columns = ["linear 1%", "blend 0.1%", "blend 1%", "blend 5%"]
    rows = [[family, str(row[columns[0]].count), *(str(row[column]) for column in columns)]
            for family, row in figures.unseen.items()]
    rows.append(["**mean**", "", *(mean_of([row[column] for row in figures.unseen.values()]) for column in columns)])
    return _table(["family", "texts", "linear alone at 1 %", "at 0.1 %", "at 1 %", "at 5 %"], rows)


def _held(figures: Figures, prefix: str) -> str:
    chosen = {family: row for family, row in figures.heldout.items() if family.startswith(prefix)}
    rows = [[family, str(row["1%"].count), *(str(row[point]) for point in ("0.1%", "1%", "5%"))]
            for family, row in chosen.items()]
    rows.append(["**mean**", "", *(mean_of([row[point] for row in chosen.values()]) for point in ("0.1%", "1%", "5%"))])
    return _table(["family", "texts", "at 0.1 %", "at 1 %", "at 5 %"], rows)


def _single(shares: dict[str, Share], head: str) -> str:
    return _table([head, "texts", "caught at 1 %"], [[name, str(s.count), str(s)] for name, s in shares.items()])


def _groups() -> str:
    return "; ".join(f"{name} ({', '.join(families)})" for name, families in GROUPS.items())


def _folds() -> str:
    return "; ".join(" and ".join(fold) for fold in FOLDS)


def _how(figures: Figures) -> str:
    """What judges a text, and at what cost."""
    linear = "A linear model over hashed character and word n-grams (int8, always on)"
    if not figures.core_tried:
        return (f"{linear}. Long text is judged in overlapping windows, the highest\ncounts. The convolutional network over "
                "hashed tokens that the recipe can train beside it was left out of this run.")
    if figures.gate_share == 0.0:
        return (f"{linear}. Long text is judged in overlapping windows, the highest\ncounts. A convolutional network over "
                "hashed tokens was trained beside it and is not shipped: on families that neither\nknew it added too little "
                "(columns below).")
    return (f"{linear} and, where that is unsure, a convolutional network\nover hashed tokens (int8 weights, ONNX). Long text "
            "is judged in overlapping windows, the highest counts. On everyday test\n"
            f"texts the network runs for {100 * figures.gate_share:.0f} %. onnxruntime and the trained network differ by at "
            f"most\n{figures.onnx_gap:.1e}.")


def injection(name: str, version: str, origins: list[Origin], figures: Figures) -> str:
    """The model card of an injection model."""
    data = _table(["source", "licence", "texts"],
                  [[o.name, o.licence, str(o.rows) if o.rows else "fillers and generated"] for o in origins])
    limits = ", ".join(f"{point}: {value:.4f}" for point, value in figures.thresholds.items())
    return f"""# {name}, version {version}

Says how likely a message or part is a prompt injection or a jailbreak: an attempt to make a model drop its instructions,
reveal them, take on a persona without limits, or act on orders hidden in a document or a tool's result. It is told where
the text comes from; the same sentence may be a wish from a user and an injection in a tool's result. A harmful request
by itself is not what it looks for.

Written by `training/train.py`; nobody edits this page.

## How it works

{_how(figures)}

## Data and licences

{figures.attacks} attacks and {figures.benign_count} everyday texts, near-duplicates removed before they were split. Weights
are Apache-2.0. No text of the sources is in this folder.

{data}

BIG-Bench Hard was not used: its files ask not to be trained on. Public jailbreaks that stages trained on everything else
held for plainly everyday text were dropped as noise.

## Thresholds

Chosen on {figures.calibration} everyday texts disjoint from training, judged like in the gateway (raw and normalised, the
higher counts), a family of n texts weighing √n so that large easy ones do not set them: {limits}.

## Recall on families not trained on

Families are left out with their relatives, two groups at a time ({_folds()}):
{_groups()}.
Stages were trained without them, and thresholds taken from the calibration texts under those same stages; that is harder
than what the shipped model, which knows all groups, meets. The blend's weights were chosen on these same scores, a bias
too small to see. Generated families share slots with the families trained on, which flatters them; `deepset`,
`jailbreaks`, `bipia-public` and `extraction-public` do not. The text is
judged as given, without views. Everyday texts and attacks grow with the grammars: figures of two versions compare only when
both are judged on the same texts.

{_unseen(figures)}

Written by hand for this card, in words that the grammars do not have; judged by the shipped model:

{_held(figures, _HELD_ATTACK)}

Written by hand in the manner of the field's benchmarks, by one who had not read the grammars:

{_held(figures, _FIELD_ATTACK)}

## Everyday text wrongly caught

By the shipped model at its 1 % threshold. `clinc-oos`, `mt-bench`, `presidio`, `bipia-email` and `bipia-code` were
never trained on.

{_single(figures.benign, "family")}

Written by hand, full of the words that attacks are made of (`heldout-trigger`), like chats (`heldout-chat`) or like
documents (`heldout-document`):

{_held(figures, _HELD_BENIGN)}

Written by hand to be as hard as such texts get, by one who had not read the grammars: trigger words, chats, prompts of
developers in a user's turn, documents with orders to people, results of tools, talk about security. It is the half of
them that was not looked at when the grammars were last mended:

{_held(figures, _FIELD_BENIGN)}

## In disguise

Recall at the 1 % threshold when attacks are disguised and judged in the views that a normaliser makes. The texts are the
hand-written attacks and 200 of generated families that the shipped model knows, hence the high figures: what counts is the
distance to `plain`.

{_single(figures.obfuscation, "disguise")}

## Calibration

Expected calibration error on families not trained on, attacks and everyday text in equal parts: {figures.calibration_error:.3f}.
The map from logits to scores was fitted on these same scores, so this flatters. Where attacks are rarer than that, the score
overstates.

## Known failures

- An order in a tool's result that names no model and breaks no rule ("transfer 250 dollars to …") is told from data by its
  source and wording alone; much of it passes at the 1 % threshold.
- Attacks split over several messages, hidden in pictures, or said in allusions only.
- Everyday wishes that share rare words with attacks: "write code that prints Access granted".
- Words run together without spaces, and typos, cost the most of the disguises.
- Languages beyond the three dozen of the grammars, and paraphrases in the smaller of those.
- Everyday text that quotes attacks at length, and prompts of developers pasted into a user's turn, are the likeliest to be
  caught wrongly.
- A determined writer who can query the score will find a way round; it is one layer.
"""


def complexity(version: str, comparison, rows: int, everyday: int) -> str:
    """The model card of the complexity model."""
    low, high = (100 * value for value in comparison.gained)
    accuracy = "\n".join(f"| {name} | {100 * value:.1f} % |" for name, value in comparison.accuracy.items())
    return f"""# complexity, version {version}

Says how likely a prompt needs the heavier of two models: the chance that a mid-sized model (Mixtral 8x7B) answers it
wrongly. For routing only; a threshold is the operator's to choose. Written by `training/train.py`.

## Data and licences

{rows} MMLU questions with who answered them rightly (lm-sys/RouteLLM, Apache-2.0; MMLU, MIT), and {everyday} short requests
(clinc/oos-eval, CC-BY-3.0; PolyAI banking77, CC-BY-4.0) that any model serves. Weights are Apache-2.0. Neither GSM8K nor
BIG-Bench Hard carries labels of which model suffices; the latter asks not to be trained on.

## Figures

Five-fold by subject: no subject is in both training and test. Area under the curve for "the smaller model is wrong":

| | all questions | within a subject, mean |
|---|---|---|
| this model | {comparison.model:.3f} | {comparison.within_model:.3f} |
| prompt length alone | {comparison.length:.3f} | {comparison.within_length:.3f} |

Routing by it answers {low:.1f} to {high:.1f} points more questions rightly than routing by length (95 % interval over
subjects; mean of a quarter, a half and three quarters of the questions going to the stronger model).

Accuracy when half of the questions go to the stronger model (GPT-4), chosen by:

| chosen by | accuracy |
|---|---|
{accuracy}

## Known failures

- It learnt from questions of multiple choice. On open chat, long documents and agents nobody has measured it.
- Within a subject it is only a little better than chance: it knows hard subjects rather than hard questions.
- English only.
"""
