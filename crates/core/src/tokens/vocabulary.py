"""Makes vocabulary.bin, and counts the texts of fixtures/tokens.jsonl with the whole vocabulary.

    pip install tiktoken
    python vocabulary.py o200k_base.tiktoken

The file is OpenAI's, under the MIT licence of https://github.com/openai/tiktoken; the crate
`tiktoken-rs` holds a copy. Each token in vocabulary.bin is its length in a byte, then its bytes;
tokens stand in the order of their ranks.
"""

import base64
import json
import pathlib
import sys

import tiktoken

KEPT = 16_384
HERE = pathlib.Path(__file__).parent
TEXTS = HERE.parents[3] / "fixtures" / "tokens.jsonl"
# The pattern that belongs to o200k_base.
WORDS = "|".join([
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
    r"\p{N}{1,3}",
    r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
    r"\s*[\r\n]+",
    r"\s+(?!\S)",
    r"\s+",
])


def main():
    lines = (line.split() for line in pathlib.Path(sys.argv[1]).read_bytes().splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    kept = sorted((rank, token) for token, rank in ranks.items() if rank < KEPT)
    packed = b"".join(bytes([len(token)]) + token for _, token in kept)
    (HERE / "vocabulary.bin").write_bytes(packed)
    whole = tiktoken.Encoding("o200k_base", pat_str=WORDS, mergeable_ranks=ranks, special_tokens={})
    samples = [json.loads(line) for line in TEXTS.read_text().splitlines()]
    with TEXTS.open("w") as file:
        for sample in samples:
            sample["tokens"] = len(whole.encode_ordinary(sample["text"]))
            file.write(json.dumps(sample, ensure_ascii=False) + "\n")


main()
