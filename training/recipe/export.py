"""Writes a model folder: weights, `manifest.toml` with digests, `golden.jsonl`. The format is FORMAT.md's."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .features import SOURCES
from .linear import Linear
from .text import folded, tokens

POINTS = ("0.1%", "1%", "5%")


@dataclass(frozen=True)
class Origin:
    """One source of training data; rows are those used."""

    name: str
    licence: str
    rows: int


@dataclass
class Manifest:
    """What a manifest states besides the files: see FORMAT.md for the meaning of each."""

    name: str
    version: str
    task: str
    label: str
    negative: str
    origins: list[Origin]
    calibration_version: str
    calibration_texts: int
    thresholds: dict[str, dict[str, float]]
    linear_map: tuple[float, float] = (1.0, 0.0)
    both_map: tuple[float, float, float] | None = None
    gate: tuple[float, float] | None = None
    knots: list[tuple[float, float]] = field(default_factory=list)
    core: str = ""
    licence: str = "Apache-2.0"


def _number(value: float) -> str:
    text = repr(round(float(value), 9))
    return text if any(sign in text for sign in ".einf") else f"{text}.0"


def _linear_section(linear: Linear, scales: list[float]) -> str:
    bias = "\n".join(f"{source} = [{_number(value)}]" for source, value in zip(SOURCES, linear.bias, strict=True))
    tables = []
    for table, scale in zip(linear.shape.tables, scales, strict=True):
        only = f"\nsources = {json.dumps(list(table.sources))}" if table.sources else ""
        tables.append(f'[[linear.tables]]\nunit = "{table.unit}"\nmin = {table.shortest}\nmax = {table.longest}\n'
                      f"buckets = {table.buckets}\nseed = {table.seed}\nscale = {repr(float(scale))}{only}\n")
    return (f'[linear]\nfile = "linear.bin"\nwindow = {linear.shape.window}\nstride = {linear.shape.stride}\n'
            f'tf = "binary"\nscale = 1.0\n[linear.bias]\n{bias}\n' + "".join(tables))


def _label_section(manifest: Manifest) -> str:
    lines = ["[[labels]]", f'name = "{manifest.label}"', "positive = true",
             f"linear = {{ slope = {_number(manifest.linear_map[0])}, intercept = {_number(manifest.linear_map[1])} }}"]
    if manifest.both_map:
        a, b, c = map(_number, manifest.both_map)
        lines.append(f"both = {{ linear = {a}, core = {b}, intercept = {c} }}")
    if manifest.knots:
        lines.append(f"knots = [{', '.join(f'[{_number(x)}, {_number(y)}]' for x, y in manifest.knots)}]")
    return "\n".join(lines) + "\n"


def _threshold_sections(thresholds: dict[str, dict[str, float]]) -> str:
    return "".join(f"[thresholds.{source}]\n" + "".join(f'"{point}" = {_number(points[point])}\n' for point in POINTS)
                   for source, points in thresholds.items())


def write(folder: Path, manifest: Manifest, linear: Linear, core: bytes | None = None) -> Linear:
    """Writes weights and manifest; returns the linear stage as it was written, that is quantised."""
    folder.mkdir(parents=True, exist_ok=True)
    quantised, tables, scales = linear.quantised()
    files = {"linear.bin": b"".join(table.tobytes() for table in tables)}
    if core is not None:
        files["core.onnx"] = core
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = "".join(f'"{name}" = "{hashlib.sha256(content).hexdigest()}"\n' for name, content in files.items())
    origins = "".join(f'[[sources]]\nname = {json.dumps(o.name)}\nlicence = {json.dumps(o.licence)}\nrows = {o.rows}\n'
                      for o in manifest.origins)
    gate = f"[gate]\nlow = {_number(manifest.gate[0])}\nhigh = {_number(manifest.gate[1])}\n" if manifest.gate else ""
    parts = [
        f'format = 1\nname = "{manifest.name}"\nversion = "{manifest.version}"\nlicence = "{manifest.licence}"\n'
        f'task = {json.dumps(manifest.task)}\nnegative = "{manifest.negative}"\n',
        f"[files]\n{digests}", origins, _linear_section(quantised, scales), manifest.core, gate, _label_section(manifest),
        f'[calibration]\nversion = "{manifest.calibration_version}"\ntexts = {manifest.calibration_texts}\n'
        'activation = "sigmoid"\n',
        _threshold_sections(manifest.thresholds),
    ]
    (folder / "manifest.toml").write_text("\n".join(part for part in parts if part), encoding="utf-8")
    return quantised


def mapped(z: np.ndarray, knots: list[tuple[float, float]]) -> np.ndarray:
    """The score of calibrated logits `z`: through the knots, if there are any, then the logistic function."""
    if knots:
        x, y = np.array(knots).T
        low, high = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
        inside = np.interp(z, x, y)
        z = np.where(z < x[0], y[0] + (z - x[0]) * low, np.where(z > x[-1], y[-1] + (z - x[-1]) * high, inside))
    return 1.0 / (1.0 + np.exp(-z))


def golden(folder: Path, rows: list[dict]) -> None:
    """Golden vectors, one object a line."""
    with (folder / "golden.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def golden_base(text: str, source: str) -> dict:
    """The part of a golden row that is the same for every stage."""
    whole = folded(text)
    return {"text": text, "source": source, "folded": whole, "tokens": len(tokens(whole))}
