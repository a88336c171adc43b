"""The flags of a recipe: those that every recipe has, and the recipe's own settings."""

from __future__ import annotations

import inspect
import shlex
from collections.abc import Callable
from types import NoneType
from typing import NamedTuple, get_args

from absl import flags as absl_flags

from zoo.errors import InputError
from zoo.features import choice

HELP_FLAGS = frozenset({"--help", "-h", "-help"})
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
SMOKE_STEPS = 4
STATED = {"data": str, "steps": int, "batch_size": int, "checkpoint_every": int}  # by every recipe
KINDS = {bool: "bool", int: "integer", float: "float", str: "string"}  # of a setting, and absl's names for them
COMMON, OWN = "every recipe", "this recipe"  # absl keeps them apart as modules
ROWS = {"lower_bound": 1, "upper_bound": 2**20}
PARTS = {"lower_bound": 1, "upper_bound": 64}  # of a CPU
PLACES = ("workdir", "data_dir", "export_dir", "inception")  # paths on one machine, so not in the command on a card


class Setting(NamedTuple):
    """A keyword argument of a recipe's `main`: the type of its values, a key of `KINDS`, and its default."""

    kind: type
    default: bool | int | float | str | None


def flags_of(main: Callable[..., None]) -> absl_flags.FlagValues:
    """The flags of a recipe.

    Raises:
        InputError: a keyword argument of `main` cannot be a flag, or one that every recipe states is missing.
    """
    settings = settings_of(main)
    stated = {name: settings.pop(name).default for name in STATED}
    return define_flags(**stated, **settings)


def settings_of(main: Callable[..., None]) -> dict[str, Setting]:
    """The keyword arguments of a recipe's `main` by their names.

    Raises:
        InputError: one is not keyword-only, has no default or one of another type, or one that every recipe states is
            missing.
    """
    _, *parameters = inspect.signature(main, eval_str=True).parameters.values()
    settings = {parameter.name: _setting(parameter) for parameter in parameters}
    for name, kind in STATED.items():
        if name not in settings:
            raise InputError(f"A recipe's `main` must state {', '.join(STATED)}. Received: no {name}")
        if settings[name].kind is not kind:
            raise InputError(f"`{name}` must be of type {kind.__name__}. Received: {name}={settings[name].default!r}")
    return settings


def _setting(parameter: inspect.Parameter) -> Setting:
    """A parameter's kind, which is its annotation or else the type of its default; `int | None` allows None as well."""
    default, kinds = parameter.default, {type(parameter.default)}
    if parameter.annotation is not parameter.empty:
        kinds = set(get_args(parameter.annotation)) or {parameter.annotation}
    named = kinds - {NoneType}
    is_setting = parameter.kind is parameter.KEYWORD_ONLY and type(default) in kinds
    if not (is_setting and len(named) == 1 and named <= KINDS.keys()):
        known = ", ".join(kind.__name__ for kind in KINDS)
        raise InputError(
            f"A recipe's settings are keyword arguments of `main` with defaults of {known}, "
            f"or of None with an annotation such as `int | None`. Received: {parameter}"
        )
    return Setting(*named, default)


def define_flags(
    data: str, steps: int, batch_size: int, checkpoint_every: int, **settings: Setting
) -> absl_flags.FlagValues:
    """The flags that every recipe has, with this recipe's defaults, and the flags of its own settings.

    Raises:
        InputError: a setting has the name of a flag that every recipe has.
    """
    flags = absl_flags.FlagValues()

    def define(kind, name, default, help, **limits):
        getattr(absl_flags, f"DEFINE_{kind}")(
            name=name, default=default, help=help, flag_values=flags, module_name=COMMON, **limits
        )

    datasets = "digits, triangles, ring, grid, swiss_roll, stacked_mnist, folder:PATH, or a TFDS name such as mnist"
    define("string", "data", data, f"dataset: {datasets}")
    define("string", "data_dir", None, "where TFDS keeps its datasets (default: TFDS's own)")
    define("integer", "image_size", None, "crop and resize images to this many pixels per side", lower_bound=1)
    define("bool", "skip_corrupt", False, "leave out unreadable files of a folder instead of refusing it")
    define("string", "workdir", None, "checkpoints, grids and curves go here (default: runs/RECIPE)")
    define("integer", "steps", steps, "generator updates", lower_bound=1)
    define("integer", "batch_size", batch_size, "rows of one update, over all replicas", **ROWS)
    define("integer", "seed", 0, "everything random follows from it", lower_bound=0, upper_bound=2**32 - 1)
    define("enum", "precision", "float32", "what the networks compute in; weights are float32", enum_values=PRECISIONS)
    define("string", "strategy", "auto", "devices: none, mirrored, multi_worker, tpu or auto")
    define("integer", "logical_cpus", 1, "split the CPU into parts, to try mirrored without GPUs", **PARTS)
    define("bool", "synchronized", False, "normalise batches by the statistics of all replicas, not of each")
    define("bool", "jit_compile", False, "compile the training step with XLA")
    define("integer", "steps_per_execution", 1, "steps between two returns to Python", lower_bound=1)
    define("bool", "deterministic", False, "use only kernels that repeat bit for bit; slower on a GPU")
    define("bool", "log_gradient_norms", False, "report the norm of each player's gradient")
    define("integer", "checkpoint_every", checkpoint_every, "steps between checkpoints: an epoch", lower_bound=1)
    define("integer", "score_every", 0, "steps between scorings of the samples; 0 for none", lower_bound=0)
    define("string", "features", choice.CLASSIFIER, choice.HELP)
    define("string", "inception", None, choice.INCEPTION_HELP)
    define(
        "string", "init", None, "start from the weights of this model: a name from `zoo list`, an artefact or a workdir"
    )
    define("bool", "init_partial", False, "with --init, leave weights that do not fit as they are")
    define("string", "export_dir", None, "where the SavedModel goes (default: in the workdir)")
    define("bool", "resume", True, "go on from the workdir's checkpoint; --noresume moves an old workdir aside")
    define("bool", "smoke", False, f"only {SMOKE_STEPS} steps, to see that all works")
    for name, (kind, default) in settings.items():
        if name in flags:
            raise InputError(f"--{name} is a flag of every recipe. Received: a setting of the same name")
        getattr(absl_flags, f"DEFINE_{KINDS[kind]}")(
            name=name, default=default, help=kind.__name__, flag_values=flags, module_name=OWN
        )
    return flags


def described(docstring: str | None, flags: absl_flags.FlagValues) -> str:
    """What `--help` prints: a recipe's docstring, its own settings, then the flags of every recipe, one per line."""

    def lines(module):
        defined = flags.flags_by_module_dict()[module]
        return "\n".join(f"  {f'--{flag.name}={flag.default}':<32} {flag.help}".rstrip() for flag in defined)

    own = f"Settings of this recipe:\n{lines(OWN)}\n\n" if own_settings(flags) else ""
    return f"{inspect.cleandoc(docstring or '')}\n\n{own}Flags of every recipe:\n{lines(COMMON)}"


def own_settings(flags: absl_flags.FlagValues) -> dict[str, object]:
    """The recipe's own settings and their values."""
    return {flag.name: flag.value for flag in flags.flags_by_module_dict().get(OWN, [])}


def parse(flags: absl_flags.FlagValues, arguments: list[str]) -> absl_flags.FlagValues:
    """Parses a command line without the program's name.

    Raises:
        InputError: an unknown flag, a value that does not fit, or an argument that is not a flag.
    """
    try:
        rest = flags(["recipe", *arguments])[1:]
    except absl_flags.Error as error:
        raise InputError(" ".join(str(error).split())) from error
    if rest:
        raise InputError(f"A recipe takes only flags. Received: {shlex.join(rest)}")
    for name in PLACES:
        if flags[name].value == "":
            raise InputError(f"--{name} should be a path. Received: ''")
    if flags.smoke:
        flags.steps = min(flags.steps, SMOKE_STEPS)
        flags.checkpoint_every = min(flags.checkpoint_every, SMOKE_STEPS // 2)
    choice.check(flags["features"].value, flags.inception)
    divided = (flags.steps, flags.checkpoint_every, flags.score_every)
    if any(number % flags.steps_per_execution for number in divided):
        raise InputError(
            f"--steps_per_execution must divide --steps, --checkpoint_every and --score_every. "
            f"Received: {flags.steps_per_execution} and {', '.join(map(str, divided))}"
        )
    return flags


def command_line(recipe: str, flags: absl_flags.FlagValues) -> str:
    """The command that repeats a run, with the flags that its user stated but without paths on this machine."""
    stated = [flags[name] for name in flags if flags[name].present and name not in PLACES]
    return shlex.join(["zoo", "train", recipe, *(flag.serialize() for flag in stated)])
