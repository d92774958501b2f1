"""Ludwig: its default model for a table, trained until it no longer gets better; it takes no limit of time.

It imports what images and sounds need whatever the columns are. The compiled halves of torchvision and torchaudio load
beside the torch that they were built with alone, so beside another one a table would find no Ludwig: here the
operators of the one are declared without being there, and the other is an empty module. No table asks for either.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

import pandas as pd
import torch


def declare_operators() -> torch.library.Library:
    """Declare what torchvision says of its operators, without the operators."""
    library = torch.library.Library("torchvision", "DEF")
    package = Path(find_spec("torchvision").origin).parent
    said = (package / "_meta_registrations.py").read_text()
    for name in sorted(set(re.findall(r'register_(?:fake|meta)\("(?:torchvision::)?(\w+)"', said))):
        library.define(f"{name}(Tensor rows) -> Tensor")
    return library


DECLARED = declare_operators()
sys.modules["torchaudio"] = no_audio = module_from_spec(ModuleSpec("torchaudio", None))
no_audio.__version__ = version("torchaudio")

from ludwig.api import LudwigModel  # noqa: E402 - it imports both

KINDS = {"binary_classification": "category", "multiclass_classification": "category", "regression": "number"}


def config(train: pd.DataFrame, job: dict[str, Any]) -> dict[str, Any]:
    inputs = [
        {"name": name, "type": "number" if pd.api.types.is_numeric_dtype(train[name]) else "category"}
        for name in train.columns
        if name != job["target"]
    ]
    return {
        "input_features": inputs,
        "output_features": [{"name": job["target"], "type": KINDS[job["task"]]}],
    }


def main(job: dict[str, Any]) -> None:
    train, test = pd.read_parquet(job["train"]), pd.read_parquet(job["test"])
    model = LudwigModel(config(train, job), logging_level=40)
    model.train(
        dataset=train,
        random_seed=job["seed"],
        output_directory=job["folder"],
        skip_save_processed_input=True,
        skip_save_progress=True,
        skip_save_log=True,
    )
    found, _ = model.predict(dataset=test)
    target = job["target"]
    if job["task"] == "regression":
        answers = pd.DataFrame({"value": found[f"{target}_predictions"]})
    else:
        classes = sorted(train[target].unique())
        answers = pd.DataFrame({name: found[f"{target}_probabilities_{name}"] for name in classes})
    answers.to_csv(job["out"], index=False)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
