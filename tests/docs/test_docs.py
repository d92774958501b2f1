"""What the documents say is so: codes, keys, defaults, links and examples are read from them and checked."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
import yaml
from pydantic import BaseModel

import mlops_compiler
from mlops_compiler.diagnostics import MlopsError, render_text
from mlops_compiler.driver import compile_recipe
from mlops_compiler.evaluation.metrics import (
    ANOMALY_METRICS,
    BINARY_METRICS,
    CLUSTERING_METRICS,
    FORECASTING_METRICS,
    MULTICLASS_METRICS,
    REGRESSION_METRICS,
)
from mlops_compiler.frontend.hydra_app import launch
from mlops_compiler.frontend.shape import Shape, shape_of
from mlops_compiler.ir.domain import parse_domain
from mlops_compiler.models.registry import MODELS
from mlops_compiler.recipe.models import Model
from mlops_compiler.recipe.prepare import Step
from mlops_compiler.recipe.recipe import Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

ROOT = Path(__file__).parents[2]
RECIPE = ROOT / "docs" / "recipe.md"
DIAGNOSTICS = ROOT / "docs" / "diagnostics.md"
PAGES = sorted(
    page for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")) if page.is_file()
)
FENCED = re.compile(r"^( *)(```+).*?^\1\2$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)
CELLS = re.compile(r"(?<!\\)\|")
NOTHING = object()
METRICS = object()


# Links


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text())


@cache
def anchors(page: Path) -> frozenset[str]:
    """Name the headings of a page as GitHub does."""
    found: dict[str, int] = {}
    names = set()
    for heading in HEADING.findall(prose(page)):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return frozenset(names)


def links() -> Iterator[object]:
    for page in PAGES:
        for target in LINK.findall(prose(page)):
            if not re.match(r"\w+:", target):
                yield pytest.param(page, target, id=f"{page.relative_to(ROOT)}: {target}")


@pytest.mark.parametrize(("page", "target"), list(links()))
def test_a_link_leads_somewhere(page, target):
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    assert file.is_relative_to(ROOT)
    assert file.exists()
    if anchor and file.suffix == ".md":
        assert anchor in anchors(file)


# Keys of the recipe


@dataclass(frozen=True)
class Part:
    """A section of the recipe language: its heading in the reference, its model, and which keys stand there.

    Attributes:
        heading: How the reference calls it.
        model: The model.
        keys: The keys, with what they are by default.
        kind: The kind of model that it holds the parameters of.
    """

    heading: str
    model: type[BaseModel]
    keys: dict[str, object]
    kind: str | None = None


def default_of(info: FieldInfo) -> object:
    return NOTHING if info.is_required() else info.get_default(call_default_factory=True)


def keys_of(model: type[BaseModel], *, without: type[BaseModel] | None = None) -> dict[str, object]:
    kept = {
        name: info for name, info in model.model_fields.items() if without is None or name not in without.model_fields
    }
    return {info.alias or name: default_of(info) for name, info in kept.items()}


def parts(shape: Shape, path: str = "") -> Iterator[Part]:
    """Walk through all sections of the recipe language."""
    for tag, arm in shape.sections.items() if shape.discriminator else [(None, arm) for arm in shape.arms]:
        if not arm.is_section:
            inner = arm.child("NAME")
            if inner is not None and any(item.is_section for item in inner.arms):
                yield from parts(inner, f"{path}.NAME")
            continue
        heading = f"`{path}`" if path else "The root"
        if tag is None:
            yield Part(heading, arm.type, keys_of(arm.type))
        elif issubclass(arm.type, Step):
            keys = keys_of(arm.type, without=Step)
            yield Part(f"{heading}: {tag}", arm.type, {key: item for key, item in keys.items() if key != "op"})
        elif issubclass(arm.type, Model):
            yield Part(f"{heading}: {tag}", arm.type, keys_of(arm.type, without=Model), kind=tag)
        else:
            yield Part(f"{heading}: {tag}", arm.type, keys_of(arm.type))
        for key, child in arm.keys.items():
            yield from parts(child, f"{path}.{key}" if path else key)


# What every step and every model may say stands once, above the kinds.
SHARED = [
    Part("`prepare.NAME`", Step, {"op": NOTHING, **keys_of(Step)}),
    Part("`models.NAME`", Model, keys_of(Model)),
]
# What a source says stands once, below `data.source`, wherever a source may stand.
FOUND = {part.heading: part for part in [*SHARED, *parts(shape_of(Recipe))]}
ELSEWHERE = re.compile(r"`(?!data\.source`)[\w.]+\.source`: |`[\w.]+\.(source\.url|NAME\.uri)`")
PARTS = [part for heading, part in FOUND.items() if not ELSEWHERE.match(heading)]


@cache
def rows_by_heading() -> dict[str, list[dict[str, str]]]:
    """Read the tables of keys, with the heading that each stands under."""
    found: dict[str, list[dict[str, str]]] = {}
    heading, names = "", []
    for line in RECIPE.read_text().splitlines():
        if line.startswith("#"):
            heading, names = line.lstrip("# "), []
            found[heading] = []
        elif not line.startswith("|"):
            names = []
        else:
            cells = [cell.strip() for cell in CELLS.split(line)[1:-1]]
            if not names:
                names = cells
            elif names[0] == "Key" and not set(cells[0]) <= {"-"}:
                found[heading].append(dict(zip(names, cells, strict=True)))
    return found


def said(cell: str) -> object:
    """Read a default as the reference writes it."""
    words = {"required": NOTHING, "none": None, "its own": BaseModel, "all metrics": METRICS}
    if cell in words:
        return words[cell]
    value = parse_domain(yaml.safe_load(cell.removeprefix("`").removesuffix("`")))
    return tuple(value) if isinstance(value, list) else value


def same(stated: object, real: object) -> bool:
    if stated is METRICS:
        return real in (
            BINARY_METRICS,
            MULTICLASS_METRICS,
            REGRESSION_METRICS,
            CLUSTERING_METRICS,
            ANOMALY_METRICS,
            FORECASTING_METRICS,
        )
    if stated is BaseModel:
        return isinstance(real, BaseModel) and real == type(real)()
    return type(stated) is type(real) and stated == real


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.heading)
def test_a_section_is_documented_key_by_key(part):
    rows = {row["Key"].strip("`"): row for row in rows_by_heading()[part.heading]}
    assert rows.keys() == part.keys.keys()
    for key, real in part.keys.items():
        assert same(said(rows[key]["Default"]), real), key
        if part.kind is not None:
            assert same(said(rows[key]["First trial"]), MODELS[part.kind].defaults[key]), key


def test_no_other_section_is_documented():
    assert {heading for heading, rows in rows_by_heading().items() if rows} <= {part.heading for part in PARTS}


# Examples


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


EXAMPLES = blocks(RECIPE, "yaml")
WHOLE = [text for text in EXAMPLES if text.startswith("name:")]
PIECES = [text for text in EXAMPLES if not text.startswith("name:")]


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """Be in a working directory with the data of the churn recipe."""
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "data").symlink_to(ROOT / "recipes" / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def first_line(text: str) -> str:
    return text.splitlines()[0]


@pytest.mark.parametrize("text", WHOLE, ids=first_line)
def test_a_whole_example_compiles(workspace, text):
    (workspace / "recipes" / "example.yaml").write_text(text)
    (compiled,) = launch(["recipe=example"], compile_recipe)
    assert len(compiled.program.nodes) > 0


@pytest.mark.parametrize("text", PIECES, ids=first_line)
def test_a_piece_of_a_recipe_compiles_in_a_whole_one(workspace, text):
    whole = {**yaml.safe_load(WHOLE[0]), **yaml.safe_load(text)}
    (workspace / "recipes" / "example.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    (compiled,) = launch(["recipe=example"], compile_recipe)
    assert compiled.recipe.name == "churn"


def commands() -> list[str]:
    lines = [line for text in blocks(RECIPE, "console") for line in text.splitlines()]
    return [line.removeprefix("$ mlops-compile check ") for line in lines if line.startswith("$ mlops-compile check ")]


@pytest.mark.parametrize("command", commands())
def test_an_example_of_a_command_compiles(workspace, command):
    shutil.copy(ROOT / "recipes" / "churn.yaml", workspace / "recipes")
    assert launch(shlex.split(command), compile_recipe)


# The codes of the sources: what is given for a parameter or field named `code`, or stands under `error` beside `faults`
# in an answer of the service. An expression that cannot be followed to its texts is an error: none is overlooked.

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Taker:
    """Something that can be called with a code: where it stands among the arguments, and what it is by default."""

    position: int | None
    default: ast.expr | None = None


@dataclass
class Module:
    """A module, with what encloses each of its nodes."""

    path: Path
    tree: ast.Module
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)

    def __post_init__(self):
        for node in ast.walk(self.tree):
            self.parents |= dict.fromkeys(ast.iter_child_nodes(node), node)

    def enclosing(self, node: ast.AST, *kinds: type[ast.AST]) -> ast.AST | None:
        while (node := self.parents.get(node)) is not None:
            if isinstance(node, kinds):
                return node
        return None

    @cached_property
    def takers(self) -> dict[str, Taker]:
        """Functions and classes of the module that take a code."""
        found: dict[str, Taker] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef) and "code" in _annotated(node):
                found.setdefault(node.name, Taker(position=None))
            elif isinstance(node, Function) and (taker := _taker(node)) is not None:
                owner = self.parents[node]
                made = isinstance(owner, ast.ClassDef) and node.name == "__init__"
                found[owner.name if made else node.name] = taker
        return found

    def calls(self, name: str) -> list[ast.Call]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call) and _name(node.func) == name]


def _annotated(node: ast.ClassDef) -> set[str]:
    return {
        item.target.id for item in node.body if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }


def _parameters(node: Function) -> list[str]:
    names = [item.arg for item in (*node.args.posonlyargs, *node.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _taker(node: Function) -> Taker | None:
    names = _parameters(node)
    if "code" in [item.arg for item in node.args.kwonlyargs]:
        return Taker(position=None)
    if "code" not in names:
        return None
    behind = names.index("code") - len(names) + len(node.args.defaults)
    return Taker(position=names.index("code"), default=node.args.defaults[behind] if behind >= 0 else None)


def _name(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def _argument(call: ast.Call, name: str, position: int | None) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[position] if position is not None and position < len(call.args) else None


class UnreadableError(AssertionError):
    """A code comes from an expression that is not followed."""

    def __init__(self, module: Module, node: ast.AST) -> None:
        super().__init__(f"{module.path.name}:{getattr(node, 'lineno', '?')}: whence is `{ast.unparse(node)}`?")


def _texts(node: ast.expr, module: Module) -> set[str]:
    """Follow an expression to the texts that it can be; none where it only passes on what was collected elsewhere."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=body, orelse=other):
            return _texts(body, module) | _texts(other, module)
        case ast.Attribute(attr="code") | ast.Subscript(slice=ast.Constant(value="code")):
            return set()
        case ast.Name(id=name):
            return _named(name, node, module)
        case ast.JoinedStr(values=parts):
            made = {""}
            for part in parts:
                ends = _texts(part.value if isinstance(part, ast.FormattedValue) else part, module)
                made = {start + end for start in made for end in ends}
            return made
        case ast.Call(func=ast.Attribute(value=ast.Dict(values=values), attr="get"), args=[_, other]):
            return set().union(*(_texts(value, module) for value in (*values, other)))
    raise UnreadableError(module, node)


def _named(name: str, node: ast.expr, module: Module) -> set[str]:
    function = module.enclosing(node, ast.FunctionDef, ast.AsyncFunctionDef)
    if function is None:
        raise UnreadableError(module, node)
    for item in ast.walk(function):
        if isinstance(item, ast.Assign):
            match item.targets[0]:
                case ast.Name(id=found) if found == name:
                    return _texts(item.value, module)
                case ast.Tuple(elts=elements) if name in map(_name, elements):
                    return _returned(item.value, list(map(_name, elements)).index(name), module)
    if name == "code":  # a parameter: its callers give it, and they are collected
        return set()
    names = _parameters(function)
    keywords = [item.arg for item in function.args.kwonlyargs]
    if name not in names + keywords:
        raise UnreadableError(module, node)
    given = [
        _argument(call, name, names.index(name) if name in names else None) for call in module.calls(function.name)
    ]
    if not given or None in given:
        raise UnreadableError(module, node)
    return set().union(*(_texts(value, module) for value in given))


def _returned(call: ast.expr, index: int, module: Module) -> set[str]:
    name = _name(call.func) if isinstance(call, ast.Call) else None
    functions = [item for item in module.tree.body if isinstance(item, Function) and item.name == name]
    pairs = [item.value for function in functions for item in ast.walk(function) if isinstance(item, ast.Return)]
    if not pairs or not all(isinstance(pair, ast.Tuple) for pair in pairs):
        raise UnreadableError(module, call)
    return set().union(*(_texts(pair.elts[index], module) for pair in pairs))


def _given(module: Module, takers: dict[str, Taker]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node.func)
        if name == "cls" and (owner := module.enclosing(node, ast.ClassDef)) is not None:
            name = owner.name
        taker = module.takers.get(name) or takers.get(name)
        if taker is None:
            if any(keyword.arg == "code" for keyword in node.keywords):
                raise UnreadableError(module, node)
            continue
        value = _argument(node, "code", taker.position) or taker.default
        if value is not None:
            found |= _texts(value, module)
    return found


def _answered(module: Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Dict):
            entries = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            if entries.keys() >= {"error", "faults"}:
                found |= _texts(entries["error"], module)
    return found


def collect() -> set[str]:
    """Collect every code of the package."""
    root = Path(mlops_compiler.__file__).parent
    modules = [Module(path=path, tree=ast.parse(path.read_text())) for path in sorted(root.rglob("*.py"))]
    public = {name: taker for module in modules for name, taker in module.takers.items() if not name.startswith("_")}
    return set().union(*(_given(module, public) | _answered(module) for module in modules))


# Diagnostics


def test_the_first_example_of_a_diagnostic_is_what_is_said(workspace):
    text = (ROOT / "recipes" / "churn.yaml").read_text()
    (old,) = re.findall(r"^  long_tails: .*$", text, re.MULTILINE)
    (workspace / "recipes" / "churn.yaml").write_text(text.replace(old, old.replace("total_charges", "totl_charges")))
    with pytest.raises(MlopsError) as caught:
        launch(["recipe=churn"], compile_recipe)
    assert f"$ mlops-compile check recipe=churn\n{render_text(caught.value.diagnostics)}\n" in blocks(
        DIAGNOSTICS, "console"
    )


def documented() -> list[str]:
    """List the codes that have a row of their own."""
    return re.findall(r"^\| `([a-z0-9\-]+)` \|", DIAGNOSTICS.read_text(), re.MULTILINE)


def test_every_code_is_documented_and_every_documented_code_exists():
    assert set(documented()) == collect()
