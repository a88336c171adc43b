"""`~` at the beginning of a path is a person's home wherever a path can be given, also where no shell expands it."""

from pathlib import Path

import keras
import numpy as np
import pytest
import saved_models
from PIL import Image

import zoo
from zoo import callbacks, data, features, images, recipe
from zoo.commands.main import main
from zoo.data import tfds_images
from zoo.errors import InputError
from zoo.files import cache_dir
from zoo.models.gan import GAN
from zoo.recipe import catalogue, many
from zoo.study import protocol
from zoo.study.database import connect

SCORES = "--data=folder:~/images --scores=parzen_log_likelihood"
LINES = {  # and a file that each writes
    "show ~/toy": "toy/card.json",
    "sample ~/toy --seeds=0 --out=~/a.png --npz=~/a.npz": "a.npz",
    "sample ~/toy --seeds=0 --out=~/pictures/": "pictures/0.png",
    "interpolate ~/gan --seeds=0,1 --out=~/walk.png": "walk.png",
    f"evaluate ~/toy {SCORES} --samples=20 --out=~/s": "s/scores.json",
    f"evaluate folder:~/images {SCORES} --out=~/t": "t/scores.json",
    f"evaluate ~/given.npz {SCORES} --out=~/u": "u/scores.json",
    "export ~/gan --out=~/again": "again/1/saved_model.pb",
    "export ~/run --out=~/once_more --checkpoint=2": "once_more/1/saved_model.pb",
    "serving config ~/toy --out=~/serving": "serving/serving.json",
    "serving warmup ~/gan": "gan/1/assets.extra/tf_serving_warmup_requests",
}


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """A home with an artefact, images, a recipe, a list of runs and a protocol."""
    home = tmp_path_factory.mktemp("home")
    saved_models.save(home / "toy" / "1")
    saved_models.write_card(home / "toy")
    pixels = np.random.default_rng(0).integers(256, size=(40, 4, 4, 1), dtype=np.uint8)
    (home / "images").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image[..., 0]).save(home / "images" / f"{number}.png")
    np.savez(home / "given.npz", samples=pixels)
    (home / "mine.py").write_text("")
    (home / "list.txt").write_text("~/mine.py --steps 2\n")
    (home / "mine.toml").write_text('title = "a"\ninstructions = "b"\nconsent = "c"\ntrials = 4\n')
    return home


def at(home, patch):
    patch.setenv("HOME", str(home))
    patch.setenv("USERPROFILE", str(home))  # what Windows reads


@pytest.fixture(autouse=True)
def home(contents, tmp_path, monkeypatch):
    at(contents, monkeypatch)
    monkeypatch.chdir(tmp_path)
    yield contents
    assert list(tmp_path.iterdir()) == [], "such as a folder called ~"


@pytest.fixture(scope="module")
def trained(contents):
    """The home with a run of a small GAN, ~/run, and its artefact, ~/gan."""
    with pytest.MonkeyPatch.context() as patch:
        at(contents, patch)
        flags = ["--workdir=~/run", "--export_dir=~/gan"]
        run = recipe.Run("toy", recipe.parse(recipe.define_flags("folder:~/images", 2, 4, 2), flags))
        layers = [keras.layers.Dense(16, "sigmoid"), keras.layers.Reshape((4, 4, 1))]
        model = GAN(
            (4, 4, 1),
            latent_size=2,
            generator=keras.Sequential([keras.Input((2,)), *layers]),
            discriminator=keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]),
        )
        model.compile()
        run.fit(model, run.data().train)
        run.export(model, run.data())
        run.close()
    return contents


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_in_the_command(line, trained):
    assert main(line.split()) == 0
    assert (trained / LINES[line]).is_file()


@pytest.mark.slow
def test_in_python(trained):
    assert zoo.load("~/toy").path == (trained / "toy" / "1").resolve()
    for source in ("~/gan", "~/run"):
        assert zoo.restore(source).step == 2
    assert zoo.restore("~/run").export("~/from_python") == trained / "from_python" / "1"
    model = zoo.restore("~/run")
    checkpoint = callbacks.Checkpoint("~/kept")
    checkpoint.set_model(model)
    checkpoint.save()
    assert (trained / "kept" / "checkpoint").is_file()


def test_of_data_features_and_pictures(home):
    assert data.load("folder:~/images").slug == "images"
    with pytest.raises(InputError, match=f"{home}/none.pb: cannot be read"):
        features.InceptionFeatures("~/none.pb")
    with pytest.raises(InputError, match=r"toy/1: expected a signature classify"):
        features.ClassifierFeatures("~/toy")
    images.write_png("~/black.png", np.zeros((2, 2, 1), np.uint8))
    assert (home / "black.png").is_file()
    for folder in (callbacks.SampleGrid("~/grids"), callbacks.SampleHistory("~/grids", 2)):
        assert folder.directory == home / "grids"


def test_of_recipes_lists_protocols_databases_and_caches(home, monkeypatch):
    assert catalogue.find("~/mine.py") == f"{home}/mine.py"
    assert [planned.recipe for planned in many.read_list(home / "list.txt")] == ["~/mine.py"]
    assert protocol.load("~/mine.toml").name == "mine"
    connect("~/study.sqlite", must_exist=False).dispose()
    assert (home / "study.sqlite").exists()
    monkeypatch.setenv("GAN_ZOO_CACHE", "~/cache")
    assert cache_dir() == home / "cache"


def test_of_the_datasets_of_tfds(home, monkeypatch):
    import tensorflow_datasets as tfds

    asked = []
    monkeypatch.setattr(tfds, "builder", lambda name, data_dir: asked.append(data_dir))
    for place in ("~/tfds", "gs://bucket/tfds", None):
        tfds_images._builder("mnist", place, ())
    assert asked == [home / "tfds", "gs://bucket/tfds", None]


def test_a_user_who_does_not_exist(capsys):
    for line in ("show ~no-such-user/x", "sample ~no-such-user/x --seeds 0", "export ~no-such-user/x --out y"):
        assert main(line.split()) == 2
        assert "~no-such-user/x: there is no such user" in capsys.readouterr().err
    for line in ("results --root ~no-such-user/x", "evaluate x --data digits --out ~no-such-user/x", "results --root="):
        with pytest.raises(SystemExit) as end:
            main(line.split())
        assert end.value.code == 2
        assert ("~no-such-user/x: there is no such user" in (error := capsys.readouterr().err)) or "a path" in error
    assert not Path("~no-such-user").exists()
