"""From data to the folder of the `complexity` model. Shipped only if it beats prompt length on unseen subjects."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np

from . import card, complexity, evaluate, export, public
from .injection_model import CALIBRATION_VERSION, Run

_EVERYDAY = 2000


def _everyday(root: Path, seed: int) -> tuple[list[str], list[str]]:
    """Short requests to train on, and others to choose thresholds on."""
    texts = public.texts(root, "clinc") + public.texts(root, "banking")
    chosen = random.Random(seed).sample(texts, 2 * _EVERYDAY)
    return chosen[:_EVERYDAY], chosen[_EVERYDAY:]


def make(run: Run, folder: Path, say: Callable[[str], None]) -> None:
    """Compares with length; only if routing by the model is better, trains on all subjects and writes the folder."""
    rows = complexity.questions(run.data)
    train, light = _everyday(run.data, run.seed)
    comparison = complexity.compare(rows, train, run.seed)
    say(f"complexity: {comparison}")
    if comparison.gained[0] <= 0:
        say("complexity: routing by it is no better than by length alone; not written")
        return
    model, _, _ = complexity.fit(rows, train).quantised()
    suffices = light + [row.prompt for row in rows if row.weak_right]
    scores = export.mapped(model.logits(suffices, ["user"] * len(suffices)), [])
    manifest = export.Manifest(
        name="complexity", version=run.version, task="whether a prompt needs the heavier of two models", label="complex",
        negative="simple", origins=[
            export.Origin("MMLU with RouteLLM's labels", "MIT, Apache-2.0", len(rows)),
            export.Origin("clinc/oos-eval and PolyAI banking77", "CC-BY-3.0, CC-BY-4.0", len(train))],
        calibration_version=CALIBRATION_VERSION, calibration_texts=len(suffices),
        thresholds={"default": evaluate.thresholds(scores)})
    quantised = export.write(folder, manifest, model)
    golden = []
    for text in ("", "What is the capital of Peru?", "please set an alarm for nine",
                 "Prove that every finite integral domain is a field.", "Was ist die Hauptstadt von Österreich?"):
        x = float(quantised.logits([text], ["user"])[0])
        golden.append({**export.golden_base(text, "user"), "linear": [round(x, 7)],
                       "score": round(float(export.mapped(np.array([x]), [])[0]), 7)})
    export.golden(folder, golden)
    (folder / "MODEL_CARD.md").write_text(card.complexity(run.version, comparison, len(rows), len(train)), encoding="utf-8")
