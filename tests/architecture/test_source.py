"""House rules that can be read off the source without running it."""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
SAYS_NOTHING = {"base", "common", "core", "helper", "helpers", "manager", "misc", "models", "util", "utils"}
RUNS_CODE_ON_LOAD = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
ONE_HOME = {"catboost", "faiss", "implicit", "lightfm", "lightgbm", "matplotlib", "numba", "optuna", "ray", "redis"}
HEAVY = ONE_HOME | {"torch"}
DISTRIBUTIONS = {"faiss": "faiss-cpu", "lightfm": "lightfm-next", "opentelemetry": "opentelemetry-sdk"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Module(NamedTuple):
    """One file of the source, parsed."""

    name: str
    tree: ast.Module

    @classmethod
    def read(cls, file: Path) -> "Module":
        name = ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        return cls(name, ast.parse(file.read_text(encoding="utf-8"), str(file)))

    def place(self, node: ast.stmt | ast.expr) -> str:
        return f"{self.name}:{node.lineno}"


MODULES = [Module.read(file) for file in sorted(SOURCE.rglob("*.py"))]


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Import statements, wherever they stand, with the package that each one brings in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module.partition(".")[0]


def public(module: Module) -> Iterator[Definition]:
    """Public functions and classes of a module, and the public methods of those classes."""
    classes: list[ast.Module | ast.ClassDef] = [module.tree]
    while classes:
        for node in classes.pop().body:
            if isinstance(node, Definition) and not node.name.startswith("_"):
                yield node
                if isinstance(node, ast.ClassDef):
                    classes.append(node)


def asserts(module: Module) -> list[str]:
    return [module.place(node) for node in ast.walk(module.tree) if isinstance(node, ast.Assert)]


def loaders_that_run_code(module: Module) -> list[str]:
    return [module.place(node) for node, package in imports(module.tree) if package in RUNS_CODE_ON_LOAD]


def arrays_that_may_pickle(module: Module) -> list[str]:
    """Calls of ``np.load`` and ``np.save`` that do not say ``allow_pickle=False``."""
    return [
        module.place(node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "np.save", "numpy.load", "numpy.save")
        if not any(ast.unparse(keyword) == "allow_pickle=False" for keyword in node.keywords)
    ]


def hidden_heavy_imports(module: Module) -> list[str]:
    """Heavy packages that a function imports when it is called: they belong at the top of their own module."""
    functions = (node for node in ast.walk(module.tree) if isinstance(node, Function))
    return [module.place(node) for function in functions for node, package in imports(function) if package in HEAVY]


def names_that_say_nothing(module: Module) -> list[str]:
    return [module.name] if SAYS_NOTHING & set(module.name.split(".")) else []


def undocumented(module: Module) -> list[str]:
    return [f"{module.place(node)} {node.name}" for node in public(module) if not ast.get_docstring(node)]


OFFENCES: dict[Callable[[Module], list[str]], str] = {
    asserts: "def brew(minutes):\n    assert minutes > 0",
    loaders_that_run_code: "from pickle import loads",
    arrays_that_may_pickle: "table = np.load(file, mmap_mode='r')",
    hidden_heavy_imports: "def brew():\n    import torch.nn",
    names_that_say_nothing: "",
    undocumented: "class Tea:\n    'A drink.'\n    def brew(self): ...",
}


@pytest.mark.parametrize("offences", OFFENCES)
def test_source_keeps_the_house_rule(offences: Callable[[Module], list[str]]) -> None:
    assert [found for module in MODULES for found in offences(module)] == []


@pytest.mark.parametrize("offences", OFFENCES)
def test_check_finds_an_offence(offences: Callable[[Module], list[str]]) -> None:
    assert len(offences(Module("encorec.tea.utils", ast.parse(OFFENCES[offences])))) == 1


@pytest.mark.parametrize("package", sorted(ONE_HOME))
def test_heavy_package_has_one_home(package: str) -> None:
    homes = {module.name for module in MODULES if package in {name for _, name in imports(module.tree)}}
    assert len(homes) <= 1, f"{package} is imported by {homes}"


def test_every_folder_is_a_package() -> None:
    """Else pytest and the wheel would know its modules by other names than the imports do."""
    folders = {file.parent for file in (SOURCE / "encorec").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_import_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for extra in extras.keys() - {"dev"} for line in extras[extra])]
    declared = {re.match(r"[\w-]+", line)[0] for line in wanted}  # pyright: ignore[reportOptionalSubscript]
    used = {package for module in MODULES for _, package in imports(module.tree)}
    foreign = {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in used - sys.stdlib_module_names - {"encorec"}}
    assert foreign <= declared
