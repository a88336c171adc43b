"""Recipes as their users run them: killed and started again, on several devices and processes, and with wrong flags."""

import inspect
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
import zygote
from kills import assert_same_end, final
from PIL import Image

from zoo import data, files, recipe
from zoo.artefacts.catalogue import find
from zoo.commands.main import main
from zoo.errors import InputError
from zoo.features.classifier import ClassifierFeatures
from zoo.labels import NO_LABEL
from zoo.models.cgan import CGAN
from zoo.recipe.catalogue import recipes, title
from zoo.recipe.flags import STATED, command_line, flags_of, own_settings, settings_of
from zoo.recipe.run import artefact_name
from zoo.training import TrainableModel

ZOO = str(Path(sys.executable).with_name("zoo"))
RECIPES = files.folder("recipes")
# Of recipes whose artefacts must not take each other's place.
ARTEFACTS = {
    "conditional_ali_fashion_mnist": "conditional_ali-digits",
}
# Settings of recipes that would take long at their own.
QUICKER = {
    "affgan_swiss_roll": ["--test_points=20"],
    "dcgan_triangles": ["--samples=5", "--test_images=1", "--filters=4"],
    "dfm_imagenet32": ["--filters=8", "--denoiser_units=32"],
    "improved_gan_cifar10": ["--reference_rows=6"],
    "semi_supervised_svhn": ["--filters=8"],
    "sn_gan_resnet_cifar10": ["--filters=16"],
    "unrolled_gan_stacked_mnist": ["--samples=20", "--unrolled_steps=1"],
}
TINY = ("--steps=6", "--checkpoint_every=2", "--batch_size=8")


def start(workdir, *flags, name="dcgan_digits", **environment):
    command = [zygote.programs() / "zoo", "train", name, *TINY, f"--workdir={workdir}", *flags]
    environment = {**os.environ, **environment}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment, cwd=Path(workdir).parent)


def train(workdir, *flags, **settings):
    """Runs to the end; returns the exit status, stdout and stderr."""
    process = start(workdir, *flags, **settings)
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("name", "default", "data", "artefact"),
    [
        ("dcgan_digits", "digits", "mnist", "dcgan-mnist"),
        ("conditional_ali_fashion_mnist", "fashion_mnist", "fashion_mnist", "conditional_ali-fashion_mnist"),
        ("dcgan_photos", "folder:photos", "photos", "dcgan-photos"),
    ],
)
def test_an_artefact_is_called_by_its_paper_and_its_data(name, default, data, artefact):
    assert artefact_name(name, default, data) == artefact


def train_here(monkeypatch, name, *flags):
    """Runs a recipe in this process, which has two logical CPUs; returns the exit status."""
    monkeypatch.setattr(sys, "argv", [name, *TINY, *flags])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(RECIPES / f"{name}.py"), run_name="__main__")
    return ended.value.code


def kill_after(process, workdir, step):
    """Kills a run without warning as soon as a checkpoint of that step or a later one is there."""
    deadline = time.monotonic() + 240
    while int((tf.train.latest_checkpoint(Path(workdir) / "checkpoints") or "-0").split("-")[-1]) < step:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The workdir and the output of a run that was never stopped."""
    workdir = tmp_path_factory.mktemp("runs") / "finished"
    status, out, err = train(workdir, "--deterministic")
    assert status == 0, err
    return workdir, out


def test_a_run_leaves_pictures_logs_and_an_artefact_and_says_where(finished):
    workdir, out = finished
    places = dict(line.split(maxsplit=1) for line in out.strip().splitlines()[-4:] if not line.startswith("sample it"))
    assert all(Path(place).exists() for place in places.values())
    assert places.keys() == {"samples", "curves", "SavedModel"}
    assert [path.name for path in sorted((workdir / "samples").iterdir())] == [f"step_00000{n}.png" for n in (2, 4, 6)]
    assert json.loads((workdir / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 6
    assert "6/6" not in out


def test_a_log_file_gets_a_plain_line_with_the_losses_for_each_epoch(finished):
    lines = finished[1].splitlines()
    place = lines.index("Epoch 3/3")
    assert re.fullmatch(r"2/2 - \d+s - .*/step - discriminator_loss: [\d.e-]+ - .*generator_loss: .*", lines[place + 1])
    assert all(character.isprintable() or character == "\n" for character in finished[1])


def test_the_sample_line_that_a_run_prints_works(finished):
    workdir, out = finished
    line = next(line for line in out.splitlines() if line.startswith("sample it"))
    command = line.removeprefix("sample it").strip()
    shell = {**os.environ, "PATH": f"{zygote.programs()}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, shell=True, check=True, cwd=workdir, env=shell, capture_output=True)
    assert (workdir / "grid.png").stat().st_size > 0


def test_the_card_tells_how_the_model_was_made(finished):
    _, card = find(finished[0] / "dcgan-digits")
    assert card["command"] == "zoo train dcgan_digits --steps=6 --batch_size=8 --deterministic --checkpoint_every=2"
    assert (card["dataset"], card["steps"], card["seed"], card["precision"]) == ("digits", 6, 0, "float32")
    assert card["seconds"] > 0
    assert "cores of" in card["machine"]


def test_a_checkpoint_of_a_run_says_the_same(finished, tmp_path):
    assert main(["export", str(finished[0]), "--out", str(tmp_path / "copy")]) == 0
    cards = [find(str(path))[1] for path in (finished[0] / "dcgan-digits", tmp_path / "copy")]
    told = ("dataset", "licence", "command", "settings", "training_precision", "machine")
    assert {name: cards[0][name] for name in told} == {name: cards[1][name] for name in told}


def test_a_killed_run_ends_as_one_never_killed(finished, tmp_path):
    workdir = tmp_path / "killed"
    kill_after(start(workdir, "--deterministic"), workdir, step=2)
    status, out, err = train(workdir, "--deterministic")
    assert status == 0, err
    assert "going on from step" in out
    assert_same_end(finished[0], workdir)
    metrics = [(path / "metrics.jsonl").read_text() for path in (finished[0], workdir)]
    assert metrics[0] == metrics[1]


def test_a_killed_run_on_two_replicas_ends_as_one_never_killed(tmp_path):
    # GAN's discriminator drops units.
    flags = ("--deterministic", "--strategy=mirrored", "--logical_cpus=2", "--data=digits")
    status, _, err = train(tmp_path / "whole", *flags, name="gan_mnist")
    assert status == 0, err
    kill_after(start(tmp_path / "killed", *flags, name="gan_mnist"), tmp_path / "killed", step=2)
    assert train(tmp_path / "killed", *flags, name="gan_mnist")[0] == 0
    assert_same_end(tmp_path / "whole", tmp_path / "killed")


def test_the_same_line_again_trains_no_further_and_exports_no_further(finished):
    workdir, _ = finished
    status, out, _ = train(workdir, "--deterministic")
    assert status == 0
    assert "Epoch" not in out
    assert [path.name for path in (workdir / "dcgan-digits").iterdir() if path.is_dir()] == ["1"]


def test_workers_train_together_and_go_on_after_one_was_lost(tmp_path, monkeypatch):
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"localhost:{port}" for port in ports]}
    configs = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}}) for index in range(2)]
    flags = ("--strategy=multi_worker", "--steps_per_execution=2")

    def start_all(workdir):
        return [start(workdir, *flags, name="gan_ring", TF_CONFIG=config, OMP_NUM_THREADS="1") for config in configs]

    chief, other = start_all(tmp_path / "killed")
    kill_after(other, tmp_path / "killed", step=2)
    chief.kill()
    chief.communicate()
    for name in ("killed", "whole"):
        ends = [(process.communicate(timeout=300), process.returncode) for process in start_all(tmp_path / name)]
        assert [status for _, status in ends] == [0, 0], ends
        assert ("going on from step" in ends[0][0][0]) == (name == "killed")
    assert_same_end(tmp_path / "whole", tmp_path / "killed")
    one = tmp_path / "one"
    assert train_here(monkeypatch, "gan_ring", "--strategy=none", f"--workdir={one}") == 0
    for name, value in final(one)[1].items():
        np.testing.assert_allclose(final(tmp_path / "whole")[1][name], value, atol=1e-5, err_msg=name)


def test_synchronized_replicas_follow_one_where_batches_are_normalised(tmp_path, monkeypatch):
    ends = []
    for name, flags in (("one", ["--strategy=none"]), ("two", ["--strategy=mirrored", "--synchronized"])):
        assert train_here(monkeypatch, "dcgan_digits", "--filters=4", *flags, f"--workdir={tmp_path / name}") == 0
        ends.append(final(tmp_path / name)[1])
    for name, value in ends[0].items():
        np.testing.assert_allclose(ends[1][name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("data", "message"),
    [("digits", "Received: dataset 'digits'"), ("stacked_digits", "classifier-mnist takes images of shape")],
)
def test_data_whose_modes_cannot_be_counted_are_refused_before_the_training(
    data, message, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("zoo.features.classifier.ClassifierFeatures", lambda name: ClassifierFeatures("mnist"))
    assert train_here(monkeypatch, "unrolled_gan_stacked_mnist", f"--data={data}", f"--workdir={tmp_path / 'run'}") == 2
    out, err = capsys.readouterr()
    assert message in err
    assert "Epoch" not in out


def test_scores_on_other_features_need_another_workdir(tmp_path, monkeypatch, capsys):
    scored = ["--score_every=2", f"--workdir={tmp_path / 'run'}"]
    assert train_here(monkeypatch, "gan_ring", *scored, "--features=inception") == 0
    assert train_here(monkeypatch, "gan_ring", *scored) == 2
    assert "features is 'inception' there and None here" in capsys.readouterr().err


def photographs(folder, count=20):
    """A folder of 32x32 photographs, half of them of each of two classes."""
    for number, pixels in enumerate(np.random.default_rng(0).integers(256, size=(count, 32, 32, 3), dtype=np.uint8)):
        (folder / f"class{number % 2}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"class{number % 2}" / f"{number}.png")
    return folder


@pytest.mark.parametrize("name", [path.stem for path in sorted(RECIPES.glob("*cifar10*.py"))])
def test_a_recipe_for_cifar10_says_how_many_of_the_50000_images_it_trains_on(name):
    source = (RECIPES / f"{name}.py").read_text(encoding="utf-8")
    header = " ".join(source.split('"""')[1].split())
    said = "trained on 45,000 images", "trained on all 50,000 training images", "first 1,000 of `data_batch_1`"
    (found,) = (phrase for phrase in said if phrase in header)
    assert ("dataset.train_and_validation" in source) == (found != said[0])


@pytest.mark.parametrize("name", [path.stem for path in sorted(RECIPES.glob("*.py"))])
def test_every_recipe_runs_on_data_at_hand(name, tmp_path, monkeypatch, capsys):
    toys = {name: name for name in ("ring", "grid", "swiss_roll", "triangles")}
    toys |= {"mixture": "ring", "stacked_mnist": "stacked_digits"}
    dataset = next((data for ending, data in toys.items() if name.endswith(ending)), "digits")
    if name.endswith("lapgan_cifar10"):  # it crops 28x28 pixels
        dataset = f"folder:{photographs(tmp_path / 'photographs')}"
    # Most networks are as wide as ever, and traced as they are exported. Steps are not traced, since the contract of
    # the models traces those, and several updates of a discriminator become one.
    # LAPGAN judges one half of a batch as data, the other gives way to samples; each member of GAP has its minibatch;
    # a third of SemiSupervisedGAN's rows have labels.
    monkeypatch.setattr(TrainableModel, "run_eagerly", property(lambda model: True, lambda model, value: None))
    if not any(part in name for part in ("lapgan", "gap", "semi_supervised")):
        monkeypatch.setattr(TrainableModel, "minibatches", lambda self, rows, count: [rows])
    flags = ["--smoke", f"--data={dataset}", f"--workdir={tmp_path / 'run'}", "--batch_size=6", "--steps=1"]
    assert train_here(monkeypatch, name, *flags, *QUICKER.get(name, [])) == 0
    (version,) = (tmp_path / "run").glob(f"*-{Path(dataset).name}/1")
    assert str(version) in capsys.readouterr().out
    assert version.parent.name == ARTEFACTS.get(name, version.parent.name)


def test_features_in_bfloat16_are_scored(tmp_path, monkeypatch, capsys):
    flags = ["--smoke", "--data=digits", "--precision=mixed_bfloat16", f"--workdir={tmp_path / 'run'}"]
    try:
        assert train_here(monkeypatch, "bigan_mnist", *flags) == 0
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert "1-NN accuracy of the encoder's features: " in capsys.readouterr().out


@pytest.mark.parametrize("is_chief", [True, False])
def test_the_chief_alone_writes_pictures(is_chief, tmp_path):
    run = SimpleNamespace(is_chief=is_chief, workdir=tmp_path)
    recipe.Run.picture(run, "white", np.full((2, 3, 1), 255, np.uint8))
    assert (tmp_path / "white.png").is_file() == is_chief


def test_the_critics_estimate_is_ranked_against_the_distance_of_the_samples(tmp_path, capsys):
    rows = {"scores": [(20, 9.0), (40, 7.0), (50, 8.0)], "metrics": [(10, 5.0), (20, 4.0), (30, 3.0), (50, 1.0)]}
    for (name, pairs), value in zip(rows.items(), ("frechet_distance", "wasserstein_estimate"), strict=True):
        lines = [json.dumps({"step": step, value: number}) + "\n" for step, number in pairs]
        (tmp_path / f"{name}.jsonl").write_text("".join(lines))
    runpy.run_path(str(RECIPES / "wgan_fashion_mnist.py"))["compare"](tmp_path)
    assert capsys.readouterr().out.endswith(" at 3 steps: 0.500\n")
    assert (tmp_path / "estimate.png").is_file()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--strategy=mirored"], "Unknown strategy: 'mirored'. Did you mean mirrored"),
        (["--data=digitz"], "Unknown dataset: 'digitz'. Did you mean digits"),
        (["--precision=float8"], "--precision"),
        (["--steps=0"], "--steps"),
        (["--stepz=3"], "stepz"),
        (["extra"], "Received: extra"),
        (["--steps_per_execution=4"], "Received: 4 and 6, 2, 0"),
        (["--strategy=mirrored", "--batch_size=9"], "Received: batch_size=9, 2 replicas"),
        (["--strategy=mirrored", "--jit_compile"], "Received: 2 replicas"),
        (["--data=ring"], "DCGAN needs images"),
        (["--data=folder:nowhere"], "nowhere"),
    ],
)
def test_wrong_flags_are_one_line_with_status_2_and_write_nothing(flags, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train_here(monkeypatch, "dcgan_digits", *flags) == 2
    out, err = capsys.readouterr()
    (line,) = err.strip().splitlines()
    assert line.startswith("zoo: ")
    assert message in line
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_workdir_of_another_run_is_refused_with_what_differs(finished, monkeypatch, capsys):
    before = sorted(finished[0].rglob("*"))
    flags = ("--seed=1", "--batch_size=16", "--data=digits", f"--workdir={finished[0]}")
    assert train_here(monkeypatch, "dcgan_fashion_mnist", *flags) == 2
    message = capsys.readouterr().err
    assert "recipe is 'dcgan_digits' there and 'dcgan_fashion_mnist' here" in message
    assert "batch_size is 8 there and 16 here, seed is 0 there and 1 here" in message
    assert sorted(finished[0].rglob("*")) == before


def test_a_workdir_beyond_the_asked_steps_is_refused(finished, monkeypatch, capsys):
    assert train_here(monkeypatch, "dcgan_digits", "--steps=4", f"--workdir={finished[0]}") == 2
    assert "is at step 6 already" in capsys.readouterr().err


def test_noresume_moves_the_old_run_aside_and_exports_another_version(tmp_path, monkeypatch):
    places = (f"--workdir={tmp_path / 'run'}", f"--export_dir={tmp_path / 'ring'}")
    for _ in range(2):
        assert train_here(monkeypatch, "gan_ring", "--noresume", "--smoke", *places) == 0
    assert (tmp_path / "run.1" / "settings.json").is_file()
    assert sorted(path.name for path in (tmp_path / "ring").iterdir() if path.is_dir()) == ["1", "2"]


def test_a_full_disk_is_said_and_the_last_checkpoint_stays(tmp_path, monkeypatch):
    workdir = tmp_path / "run"
    assert train_here(monkeypatch, "dcgan_digits", "--steps=2", f"--workdir={workdir}") == 0
    size = max(path.stat().st_size for path in workdir.glob("checkpoints/*"))
    command = f"ulimit -f {size // 2048}; exec {ZOO} train dcgan_digits {' '.join(TINY)} --workdir={workdir}"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert ended.returncode == 2, ended.stderr
    assert "Cannot save the checkpoint of step 4" in ended.stderr.splitlines()[-1]
    assert "step-2 stays usable" in ended.stderr.splitlines()[-1]
    assert final(workdir)[0].name == "step-2"
    assert train_here(monkeypatch, "dcgan_digits", f"--workdir={workdir}") == 0
    assert final(workdir)[0].name == "step-6"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_ended_by_a_signal_saves_its_step_and_ends_as_one_never_stopped(number, finished, tmp_path):
    workdir = tmp_path / "stopped"
    process = start(workdir, "--deterministic", "--checkpoint_every=6")
    assert "from the start; an epoch is 6 steps" in process.stdout.readline()
    time.sleep(0.5)  # into the seconds in which the step is traced
    process.send_signal(number)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 128 + number, err
    assert f"zoo: {number.name} stopped dcgan_digits, and {workdir} holds its last step. The same command" in err
    assert final(workdir)[0].name != "step-6"
    status, out, err = train(workdir, "--deterministic")
    assert status == 0, err
    assert "going on from step" in out
    assert_same_end(finished[0], workdir)


def test_a_second_run_in_a_workdir_is_refused_and_a_killed_one_leaves_no_lock_and_no_leftovers(
    tmp_path, monkeypatch, capsys
):
    run = tmp_path / "run"
    first = start(run, "--steps=1000")
    kept = [run / "checkpoints" / "step-9_temp", run / "dcgan-digits" / ".1.99999", run / ".settings.99999.json"]
    deadline = time.monotonic() + 240
    while not (run / "settings.json").exists():
        assert first.poll() is None, first.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for flag in ("--resume", "--noresume"):
        assert train_here(monkeypatch, "dcgan_digits", flag, f"--workdir={run}") == 2
        assert f"Another run is at work in {run}." in capsys.readouterr().err
    first.kill()
    first.communicate()
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}") if path.suffix == ".json" else path.mkdir()
    steps = int((tf.train.latest_checkpoint(run / "checkpoints") or "-0").split("-")[-1]) + 2
    assert train_here(monkeypatch, "dcgan_digits", f"--workdir={run}", f"--steps={steps}") == 0
    assert not any(path.exists() for path in kept)


def test_an_export_directory_is_checked_before_the_training(tmp_path, monkeypatch, capsys):
    assert (
        train_here(monkeypatch, "gan_ring", "--smoke", f"--export_dir={tmp_path}/ring", f"--workdir={tmp_path}/a") == 0
    )
    flags = ("--smoke", "--data=grid", f"--workdir={tmp_path / 'b'}", f"--export_dir={tmp_path / 'ring'}")
    assert train_here(monkeypatch, "gan_ring", *flags) == 2
    assert "ring holds GAN of ring, whose next version would be of another model. Received: GAN of grid" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "b").exists()


@pytest.fixture
def odd_places(tmp_path, monkeypatch):
    """The current folder, which holds a file, a loop of links, a dangling link and a workdir of odd settings."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere")
    Path("list").mkdir()
    Path("list/settings.json").write_text("[]")
    return tmp_path


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--workdir=br[1]"], "TensorFlow reads [ and ] in a path as a pattern. Received: br[1]"),
        (["--export_dir=a*"], "TensorFlow reads * in a path as a pattern. Received: a*"),
        (["--workdir="], "--workdir should be a path. Received: ''"),
        (["--workdir=file"], "file: expected a folder. Received: file, which is none"),
        (["--workdir=file/below"], "file/below: expected a folder. Received: "),
        (["--export_dir=file"], "file: expected a folder. Received: file, which is none"),
        ([f"--workdir={'n' * 300}"], "cannot be a folder: File name too long"),
        (["--workdir=loop"], "loop: cannot be a folder: Too many levels of symbolic links"),
        (["--workdir=dangling"], "dangling: cannot be a folder: No such file or directory"),
        (["--workdir=~nobody-of-this-name/x"], "~nobody-of-this-name/x: there is no such user"),
        (["--data=folder:~nobody-of-this-name/x"], "~nobody-of-this-name/x: there is no such user"),
        (["--workdir=list"], "expected a JSON object. Received: list"),
        (["--noresume", "--workdir=."], "cannot hold the current folder. Received: ."),
        (["--noresume", "--workdir=.."], "cannot hold the current folder. Received: .."),
        (["--batch_size=1000000000000"], "--batch_size"),
        (["--logical_cpus=100000"], "--logical_cpus"),
    ],
)
def test_odd_places_and_sizes_are_one_line_with_status_2_and_write_nothing(
    flags, message, odd_places, monkeypatch, capsys
):
    before = sorted(odd_places.rglob("*"))
    assert train_here(monkeypatch, "dcgan_digits", *flags) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert message in line
    assert sorted(odd_places.rglob("*")) == before


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    flags = recipe.parse(recipe.define_flags("digits", 4, 8, 2), ["--workdir=~/run"])
    assert recipe.Run("dcgan_digits", flags).workdir == tmp_path / "run"


def test_flags_parse_to_the_recipes_defaults():
    flags = recipe.parse(recipe.define_flags("digits", 2000, 64, 100), [])
    assert (flags.data, flags.steps, flags.batch_size, flags.checkpoint_every) == ("digits", 2000, 64, 100)


def test_a_bad_flag_is_an_input_error():
    with pytest.raises(InputError, match="batch_size"):
        recipe.parse(recipe.define_flags("digits", 2000, 64, 100), ["--batch_size=many"])


def test_a_conditional_model_refuses_rows_without_labels_before_anything_is_written(tmp_path):
    digits = data.load("digits").train
    labels = digits.labels.copy()
    labels[:3] = NO_LABEL
    model = CGAN((8, 8, 1), num_classes=10)
    model.compile()
    flags = recipe.parse(recipe.define_flags("digits", 4, 8, 2), [f"--workdir={tmp_path / 'run'}"])
    with pytest.raises(InputError, match=f"CGAN needs a label on every row. Received: 3 of {len(labels)} rows"):
        recipe.Run("cgan_digits", flags).fit(model, data.dataset.Split(digits.images, labels))
    assert list(tmp_path.iterdir()) == []


def test_a_conditional_recipe_refuses_data_without_classes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train_here(monkeypatch, "cgan_mnist", "--data=swiss_roll") == 2
    assert capsys.readouterr().err == "zoo: CGAN needs at least 2 classes. Received: num_classes=None\n"
    assert list(tmp_path.iterdir()) == []


def test_data_that_cannot_be_scored_are_refused_before_anything_is_written(tmp_path, monkeypatch, capsys):
    folder = photographs(tmp_path / "photographs")
    monkeypatch.chdir(tmp_path)
    flags = (f"--data=folder:{folder}", "--image_size=16", "--score_every=2", "--steps=2")
    assert train_here(monkeypatch, "dcgan_digits", *flags) == 2
    assert "is neither the path of a classifier nor a dataset with one" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["photographs"]


def test_data_of_ones_own_are_scored_through_a_classifier_of_ones_own(tmp_path, monkeypatch, capsys):
    photographs(tmp_path / "photographs", 200)
    monkeypatch.chdir(tmp_path)
    data = ("--data=folder:photographs", "--image_size=16", "--batch_size=4", "--checkpoint_every=2", "--steps=2")
    assert train_here(monkeypatch, "classifier", *data) == 0
    features = "runs/classifier/classifier-photographs"
    card = json.loads(Path(features, "card.json").read_text(encoding="utf-8"))
    assert (card["num_classes"], card["class_names"]) == (2, ["class0", "class1"])

    monkeypatch.setattr("zoo.callbacks.Scores.__init__.__defaults__", (129, None))
    assert train_here(monkeypatch, "dcgan_digits", *data, "--score_every=2", f"--features={features}") == 0
    (line,) = Path("runs/dcgan_digits/scores.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["frechet_distance"] >= 0
    sampled = "runs/dcgan_digits/dcgan-photographs"
    flags = ["--data=folder:photographs", "--image_size=16", "--samples=129", f"--features={features}", "--card"]
    assert main(["evaluate", sampled, "--scores=frechet_distance", *flags]) == 0
    assert "features: classifier-photographs, sha256 " in capsys.readouterr().out
    (score, *_) = json.loads(Path(sampled, "card.json").read_text(encoding="utf-8"))["scores"]
    assert f" --features={features}" in score["command"]


def test_a_folder_that_changed_does_not_go_on_in_the_same_workdir(tmp_path, monkeypatch, capsys):
    folder = photographs(tmp_path / "photographs")
    monkeypatch.chdir(tmp_path)
    flags = ("--data=folder:photographs", "--image_size=16", "--batch_size=4", "--checkpoint_every=2", "--smoke")
    assert train_here(monkeypatch, "dcgan_digits", *flags) == 0
    assert train_here(monkeypatch, "dcgan_digits", *flags) == 0
    capsys.readouterr()
    Image.new("RGB", (32, 32)).save(folder / "class0" / "0.png")
    assert train_here(monkeypatch, "dcgan_digits", *flags) == 2
    assert "belongs to another run: data_fingerprint is " in capsys.readouterr().err


MINE = """\"\"\"My recipe.\"\"\"

from zoo import GAN, optimizers, recipe


def main(run, *, data="digits", steps=6, batch_size=8, checkpoint_every=2, latent_size=4, learning_rate=1e-3, {more}):
    digits = run.data()
    model = GAN(digits.data_shape, latent_size=latent_size, seed=run.flags.seed)
    steps = {steps}
    model.compile(optimizers.adam(learning_rate), optimizers.adam(learning_rate), **run.compile_settings)
    run.fit(model, digits.train)
    run.export(model, digits)


if __name__ == "__main__":
    recipe.run(main)
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Runs a recipe of one's own, a path, and returns its exit status."""
    monkeypatch.chdir(tmp_path)

    def train(*flags, more='color="grey"', steps="run.flags.steps"):
        (tmp_path / "mine.py").write_text(MINE.format(more=more, steps=steps))
        monkeypatch.setattr(sys, "argv", ["mine.py", *flags])
        with pytest.raises(SystemExit) as end:
            runpy.run_path("mine.py", run_name="__main__")
        return end.value.code

    return train


def test_keyword_arguments_are_settings_in_workdir_command_and_card(mine, tmp_path):
    assert mine("--learning_rate=0.002", "--smoke") == 0
    (version,) = (tmp_path / "runs" / "mine").glob("*/1")
    _, card = find(version)
    settings = {"latent_size": 4, "learning_rate": 0.002, "color": "grey"}
    assert card["settings"] == settings
    assert card["command"] == "zoo train mine.py --smoke --learning_rate=0.002"
    assert settings.items() <= json.loads((tmp_path / "runs" / "mine" / "settings.json").read_text()).items()


def test_another_setting_does_not_go_on_in_the_same_workdir(mine, capsys):
    assert mine("--smoke") == 0
    assert mine("--smoke", "--learning_rate=0.002") == 2
    assert "learning_rate is 0.001 there and 0.002 here" in capsys.readouterr().err


def test_more_steps_go_on_unless_the_rate_follows_from_them(mine, capsys):
    assert mine("--steps=2") == mine("--steps=4") == 0
    assert mine("--steps=2", "--workdir=falling", steps="run.schedule_steps") == 0
    assert mine("--steps=4", "--workdir=falling", steps="run.schedule_steps") == 2
    assert "steps is 2 there and 4 here" in capsys.readouterr().err


def test_settings_are_listed_apart_from_the_flags_of_every_recipe(mine, capsys):
    assert mine("--help") == 0
    out = capsys.readouterr().out
    assert (
        out.index("Settings of this recipe:") < out.index("--learning_rate=0.001") < out.index("Flags of every recipe:")
    )
    assert out.index("Flags of every recipe:") < out.index("--batch_size=8")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("seed=0", "--seed is a flag of every recipe"),
        ("sizes=(8, 4)", r"defaults of bool, int, float, str, or of None .* Received: sizes=\(8, 4\)"),
        ("depth=None", r"`int \| None`\. Received: depth=None"),
        ("depth: int = 0.5", "Received: depth: int = 0.5"),
        ("depth", "Received: depth$"),
        ("**others", r"Received: \*\*others"),
    ],
)
def test_arguments_that_cannot_be_settings_are_refused(mine, tmp_path, capsys, more, message):
    assert mine("--smoke", more=more) == 2
    assert re.search(message, capsys.readouterr().err)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"data": "digits", "steps": 4.0, "batch_size": 8, "checkpoint_every": 2}, "`steps` must be of type int"),
        ({"data": "digits", "steps": 4, "batch_size": 8}, "Received: no checkpoint_every"),
    ],
)
def test_what_every_recipe_states_is_there_and_of_its_type(stated, message):
    def main(run, **settings):
        pass

    run = inspect.Parameter("run", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    keywords = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=stated[name]) for name in stated]
    main.__signature__ = inspect.Signature([run, *keywords])
    with pytest.raises(InputError, match=message):
        settings_of(main)


def test_a_setting_may_be_none_beside_its_type():
    def main(run, *, data="digits", steps=4, batch_size=8, checkpoint_every=2, depth: int | None = None):
        pass

    assert settings_of(main)["depth"] == (int, None)
    assert own_settings(recipe.parse(flags_of(main), [])) == {"depth": None}
    flags = recipe.parse(flags_of(main), ["--depth=3"])
    assert own_settings(flags) == {"depth": 3}
    assert command_line("deep", flags) == "zoo train deep --depth=3"


def test_a_script_of_ones_own_does_not_go_on_in_the_workdir_of_a_recipe_of_the_same_name(tmp_path):
    workdir = tmp_path / "run"
    workdir.mkdir()
    (workdir / "settings.json").write_text('{"recipe": "mine"}')
    flags = recipe.parse(recipe.define_flags("digits", 4, 8, 2), [f"--workdir={workdir}"])
    with pytest.raises(InputError, match=r"recipe is 'mine' there and 'mine\.py' here"):
        recipe.Run("mine", flags, "./mine.py")


@pytest.mark.parametrize("name", recipes())
def test_every_recipes_help_lists_its_settings(name, monkeypatch, capsys):
    script = recipes()[name]
    main = runpy.run_path(str(script))["main"]
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        recipe.run(main)
    assert end.value.code == 0
    own, common = capsys.readouterr().out.rpartition("Flags of every recipe:\n")[::2]
    assert title(script) in own
    for setting, (_, default) in settings_of(main).items():
        assert f"  --{setting}={default} " in (common if setting in STATED else own)


def test_a_path_is_run_and_an_unknown_one_refused(mine, tmp_path, monkeypatch, capsys):
    mine("--help")
    with pytest.raises(SystemExit) as end:
        main(["train", "./mine.py", "--smoke"])
    assert end.value.code == 0
    (version,) = (tmp_path / "runs" / "mine").glob("*/1")
    assert find(version)[1]["command"] == "zoo train ./mine.py --smoke"
    assert main(["train", "./yours.py"]) == 2
    assert "Unknown recipe: './yours.py'" in capsys.readouterr().err
