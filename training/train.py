"""Trains the shipped classifiers, measures them and writes their folders: `python train.py --data DIR --out DIR`.

Seeded: the same data, arguments and library versions give the same files. README.md shows how to add data of your own.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from recipe import complexity_model, injection_model
from recipe.injection_model import Run

HERE = Path(__file__).resolve().parent


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data, see SOURCES.md there")
    parser.add_argument("--out", type=Path, required=True, help="folder that gets one folder a model")
    parser.add_argument("--model", choices=("prompt-injection", "complexity", "all"), default="all")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="how much is generated; 1.0 is a full run")
    parser.add_argument("--epochs", type=int, default=3, help="passes of the core over the data; 0 trains none")
    parser.add_argument("--extra", type=Path, action="append", default=[], help="JSON lines of your own, repeatable")
    parser.add_argument("--version", default="1", help="of the weights, for the manifest")
    parser.add_argument("--name", default="prompt-injection", help="the model's name, and its folder's")
    parser.add_argument("--keep", type=Path, help="folder for finished steps: a run that was cut off goes on from there")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = _arguments(argv)
    started = time.monotonic()

    def say(message: str) -> None:
        print(f"{time.monotonic() - started:7.1f} s  {message}", flush=True)

    run = Run(data=arguments.data, seeds=HERE / "seeds", seed=arguments.seed, scale=arguments.scale,
              epochs=arguments.epochs, extra=tuple(arguments.extra), version=arguments.version, keep=arguments.keep)
    if arguments.model in ("prompt-injection", "all"):
        injection_model.make(run, arguments.out / arguments.name, arguments.name, say)
    if arguments.model in ("complexity", "all"):
        complexity_model.make(run, arguments.out / "complexity", say)
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
