"""One run of a recipe, which survives being killed and ends in an artefact."""

from __future__ import annotations

import contextlib
import functools
import inspect
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from absl import flags as absl_flags

from zoo import machine
from zoo.artefacts.signatures import SAMPLE
from zoo.console import run_command
from zoo.errors import InputError
from zoo.files import expanded, folder, require_literal, require_possible_folder, write_json
from zoo.recipe import workdir
from zoo.recipe.endings import ended_by_signals, explained
from zoo.recipe.flags import HELP_FLAGS, STATED, command_line, described, flags_of, own_settings, parse

# What a workdir belongs to, besides the recipe's own settings. Steps may grow; devices, paths and speed may change.
FINGERPRINT = "data_fingerprint"
SETTINGS = ("data", "image_size", "skip_corrupt", "batch_size", "seed", "precision", "init")


def run(main: Callable[..., None]) -> None:
    """Runs a recipe on the process's command line and exits.

    Args:
        main: the recipe, `main(run, *, data=..., steps=..., batch_size=..., checkpoint_every=..., **settings)`. Every
            keyword argument is a flag, with the argument's default; those beyond these four are the recipe's settings.

    Raises:
        SystemExit: always, with the status of the command.
    """
    script = Path(inspect.getsourcefile(main))

    def command():
        flags = flags_of(main)
        arguments = sys.argv[1:]
        if HELP_FLAGS & set(arguments):
            print(described(main.__globals__["__doc__"], flags))
            return
        is_ours = script.parent.resolve() == folder("recipes").resolve()
        parse(flags, arguments)
        made = Run(script.stem, flags, None if is_ours else sys.argv[0])
        with contextlib.closing(made):
            main(made, **{name: flags[name].value for name in STATED}, **own_settings(flags))

    sys.exit(run_command(command))


class Run:
    """One run of a recipe: set up by its flags, then `data`, `fit` and `export`.

    Attributes:
        flags: the parsed flags.
        strategy: the `tf.distribute` strategy they ask for; build and compile the model in its scope.
        workdir: where everything is written. Nothing is written before `fit`.
    """

    def __init__(self, name: str, flags: absl_flags.FlagValues, script: str | None = None):
        import keras
        import tensorflow as tf

        from zoo import distribute

        self.name = name
        self.flags = flags
        self._recipe = script or name  # as `zoo train` takes it
        self.workdir = require_literal(expanded(flags.workdir or f"runs/{name}"))
        self._export_dir = flags.export_dir and require_literal(expanded(flags.export_dir))
        for place in filter(None, (self.workdir, self._export_dir)):
            require_possible_folder(place)
        self._fixed_steps = False
        self._lock = None
        self._check_workdir()
        if flags.logical_cpus > 1:
            cpu = tf.config.list_physical_devices("CPU")[0]
            parts = [tf.config.LogicalDeviceConfiguration()] * flags.logical_cpus
            tf.config.set_logical_device_configuration(cpu, parts)
        if flags.deterministic:
            tf.config.experimental.enable_op_determinism()
        self.strategy = distribute.strategy(flags.strategy)
        self.is_chief = distribute.is_chief()
        keras.mixed_precision.set_global_policy(flags.precision)
        keras.utils.set_random_seed(flags.seed)

    def close(self) -> None:
        """Releases the workdir for other runs, as the end of the process does."""
        if self._lock:
            self._lock.close()

    @property
    def compile_settings(self) -> dict:
        """The arguments of `compile` that the flags state."""
        names = ("jit_compile", "steps_per_execution", "log_gradient_norms")
        return {name: self.flags[name].value for name in names}

    @functools.cached_property
    def schedule_steps(self) -> int:
        """`--steps`, for a learning rate that depends on it; the workdir then keeps to this number.

        Raises:
            InputError: the workdir was trained with another number.
        """
        self._fixed_steps = True
        self._check_workdir()
        return self.flags.steps

    @functools.cached_property
    def _data(self):
        from zoo import data

        flags = self.flags
        dataset = data.load(flags.data, flags.data_dir, flags.image_size, flags.skip_corrupt)
        if flags.resume:
            workdir.check(self.workdir, {FINGERPRINT: dataset.fingerprint})
        return dataset

    def data(self):
        """The dataset of the flags, a `zoo.data.Dataset`.

        Raises:
            InputError: it cannot be loaded, or it has changed since the workdir was started.
        """
        return self._data

    def fit(self, model, split, callbacks=(), metrics=None) -> None:
        """Trains a compiled model on a split of the data up to `--steps`, from the workdir's checkpoint on.

        Ctrl-C and SIGTERM end it after the step in which they arrive, and that step's checkpoint is saved. If several
        processes train together, signals end it at once, since a save needs all processes.

        Args:
            model: a compiled model.
            split: what it is trained on, a `zoo.data.Split`.
            callbacks: Keras callbacks besides those of every run; they see the end of an epoch before its checkpoint.
                Of several processes only the first calls them.
            metrics: functions of samples by name, computed each epoch, as `zoo.callbacks.SampleMetrics` takes them.

        Raises:
            InputError: a conditional model and rows without labels, a batch that cannot be split over replicas and
                updates, nothing for `--synchronized` to synchronise, an export directory that holds another model, a
                workdir that another run is at work in or that is beyond `--steps`.
            TrainingError: a loss stopped being finite, no checkpoint can be read, one could not be written, memory ran
                out, or a worker was lost.
            SignalError: a signal ended it.
        """
        from zoo import callbacks as own
        from zoo import distribute
        from zoo.artefacts.export import blueprint, require_same_model
        from zoo.restoring import BLUEPRINT, initialize, restore

        if model.reads_labels and not model.reads_unlabelled_rows and (unlabelled := int((split.labels < 0).sum())):
            raise InputError(
                f"{type(model).__name__} needs a label on every row. "
                f"Received: {unlabelled} of {len(split)} rows of {self.flags.data} without"
            )
        steps, every = self.flags.steps, self.flags.checkpoint_every
        replicas = self.strategy.num_replicas_in_sync
        if self.flags.batch_size % replicas:
            raise InputError(
                f"--batch_size must be a multiple of the replicas. "
                f"Received: batch_size={self.flags.batch_size}, {replicas} replicas"
            )
        if model.num_classes == self._data.num_classes:
            model.class_names = self._data.class_names
        if self.flags.synchronized:
            model.synchronize()
        if self._export_dir:
            require_same_model(self._export_dir, model, self.data().name)
        scores = [self._scores()] if self.flags.score_every else []
        self._checkpoint = own.Checkpoint(self.workdir / "checkpoints")
        if self.flags.init and not (self.flags.resume and self._checkpoint.exists()):
            for misfit in initialize(model, restore(self.flags.init), self.flags.init_partial):
                print(f"--init_partial leaves as it was: {misfit}", flush=True)
        self._start_workdir()
        if not self.flags.resume:
            distribute.wait_for_all(self.strategy)  # until the chief has moved the old checkpoints aside
        if self.is_chief:
            described = {**blueprint(model), "class_names": model.class_names, "facts": self._facts()}
            write_json(self.workdir / BLUEPRINT, described)
        self._checkpoint.restore(model)
        if model.step > steps:
            raise InputError(f"{self.workdir} is at step {model.step} already. Received: --steps={steps}")
        if model.reference is not None and not model.has_reference:
            rows = split.stream(model.reference.shape[0], self.flags.seed)
            model.take_reference(next(iter(rows))["image"])
        is_over = model.step == steps
        if self.is_chief and not is_over:
            begin = f"going on from step {model.step}" if model.step else "from the start"
            print(
                f"{self.name}: {steps} steps of {self.flags.batch_size} rows on {replicas} x {_device()}, {begin}; "
                f"an epoch is {every} steps",
                flush=True,
            )
        watchers = [own.MetricsLog(self.workdir), *callbacks]
        if self._is_drawn(model):
            watchers.append(own.SampleGrid(self.workdir / "samples"))
        if metrics:
            watchers.append(own.SampleMetrics(self.workdir, metrics))
        told = "auto" if sys.stdout.isatty() else 2  # a bar on a terminal, a line for each epoch in a log file
        # What is left of an epoch that a signal ended, whole epochs, and what is left of the steps.
        head = min(-model.step % every, steps - model.step)
        first = -(-model.step // every)
        whole, rest = divmod(steps - model.step - head, every)
        for start, epochs, length in ((first - 1, 1, head), (first, whole, every), (first + whole, 1, rest)):
            if not epochs or not length:
                continue
            with explained(model, self.workdir), ended_by_signals(self.name, self.workdir) as signals:
                model.fit(
                    self._stream(model, split),
                    initial_epoch=start,
                    epochs=start + epochs,
                    steps_per_epoch=length,
                    callbacks=[*(watchers if self.is_chief else []), *scores, self._checkpoint, *signals],
                    shuffle=False,  # the stream is shuffled; without this, Keras warns
                    verbose=told if self.is_chief else 0,
                )
        if scores and self.is_chief and not is_over:
            print("", scores[0].report(), sep="\n")
        if scores and is_over:
            scores[0].complete(model)

    def picture(self, name: str, pixels) -> None:
        """Writes uint8 `[height, width, 1 or 3]` as NAME.png into the workdir; of several processes only the chief."""
        if self.is_chief:
            from zoo import images

            images.write_png(self.workdir / f"{name}.png", pixels)

    def export(self, model, data, **facts) -> None:
        """Writes the artefact of a trained model, with more facts for its card, and prints where everything is.

        A run that is started again after its end finds its artefact and does not write another.
        """
        if not self.is_chief:
            return
        from zoo.artefacts.catalogue import find
        from zoo.artefacts.export import finish_or_clear

        directory = self._export_dir or self.workdir / artefact_name(self.name, self.flags["data"].default, data.slug)
        seconds = round(float(self._checkpoint.seconds.numpy()), 3)
        of_run = {**self._facts(), "seconds": seconds}
        version, card = None, {}
        finish_or_clear(directory)
        with contextlib.suppress(InputError):
            version, card = find(str(directory.absolute()))
        made_now = {"command": of_run["command"], "seconds": seconds, "steps": model.step}
        if any(card.get(fact) != value for fact, value in made_now.items()):
            version = model.export(directory, **of_run, **facts)
        lines = {"curves": self.workdir / "losses.png", "SavedModel": version}
        if self._is_drawn(model):
            lines["samples"] = self.workdir / "samples" / f"step_{model.step:06d}.png"
            lines["sample it"] = shlex.join(["zoo", "sample", str(directory), "--seeds", "0-63", "--out", "grid.png"])
        print("", *(f"{title:<12}{line}" for title, line in lines.items()), sep="\n")

    def _scores(self):
        """The callback of `--score_every`: on features, the Fréchet distance decides; precision and recall follow."""
        from zoo import callbacks, evaluation
        from zoo.features import choice

        data, flags = self.data(), self.flags
        scores, extractor = evaluation.default_scores(data), None
        if evaluation.reads_features(scores):
            scores = ["frechet_distance", "precision_recall"]
            extractor = choice.extractor(flags["features"].value, data.name, flags.inception)
        real = evaluation.RealData(data, extractor)
        return callbacks.Scores(self.workdir, real, scores, flags.score_every, steps=flags.steps)

    def _stream(self, model, split):
        """The batches from the model's step on; each worker gets its own rows of them."""
        batch_size = self.flags.batch_size * model.discriminator_updates
        seed, start = self.flags.seed, model.step
        replicas = self.strategy.num_replicas_in_sync
        return self.strategy.distribute_datasets_from_function(
            lambda context: split.stream(
                batch_size,
                seed,
                start,
                replicas=replicas,
                pipeline=context.input_pipeline_id,
                pipelines=context.num_input_pipelines,
            )
        )

    @staticmethod
    def _is_drawn(model) -> bool:
        """Whether there are pictures of a model's samples."""
        from zoo import images

        return SAMPLE in model.signatures() and images.drawable(model.data_shape)

    def _facts(self) -> dict:
        """What the card of any model of this run says of it."""
        return {
            "dataset": self.data().name,
            "licence": self.data().licence,
            "command": command_line(self._recipe, self.flags),
            "settings": own_settings(self.flags),
            "training_precision": self.flags.precision,
            "machine": machine.describe(),
        }

    def _settings(self) -> dict:
        names = [*SETTINGS, *(["steps"] if self._fixed_steps else [])]
        flags = self.flags
        recipe = {"recipe": Path(self._recipe).name, "synchronized": flags.synchronized or None}
        features = flags["features"]  # scores on other features are on another scale
        recipe["features"] = features.value if flags.score_every and features.value != features.default else None
        return recipe | {name: self.flags[name].value for name in names} | own_settings(self.flags)

    def _check_workdir(self) -> None:
        """Refuses a workdir that belongs to another run, before anything is loaded."""
        if self.flags.resume:
            workdir.check(self.workdir, self._settings())
        else:
            workdir.check_movable(self.workdir)

    def _start_workdir(self) -> None:
        from zoo.callbacks.checkpoint import clear_unfinished

        if not self.is_chief or self._lock:
            return
        if not self.flags.resume:
            workdir.move_aside(self.workdir)
        self._lock = workdir.start(self.workdir, {**self._settings(), FINGERPRINT: self._data.fingerprint})
        for name in ("checkpoints", "best"):
            clear_unfinished(self.workdir / name)


def artefact_name(recipe: str, default: str, data: str) -> str:
    """What the artefact of a run is called: the recipe's name without the data that it was written for, and the data.

    Args:
        recipe: the recipe's name.
        default: the data that it was written for, as `--data` takes them.
        data: the slug of the data that it was run on.
    """
    return f"{recipe.replace(f'_{default}', '').removesuffix(f'_{data}')}-{data}"


def _device() -> str:
    import tensorflow as tf

    return next((kind for kind in ("TPU", "GPU") if tf.config.list_logical_devices(kind)), "CPU")
