"""What a subject is shown and asked: a protocol of the zoo by its name, or your own from a TOML file."""

from __future__ import annotations

import dataclasses
import tomllib
from numbers import Real
from pathlib import Path

from zoo.errors import InputError, unknown
from zoo.files import expanded

FOLDER = Path(__file__).with_name("protocols")
FRAME_MS = 1000 / 60  # of the slowest common screens
LONGEST_MS = 60_000
MEASURES = ("taken_for_real", "right")
MOST_TRIALS = 10_000


@dataclasses.dataclass(frozen=True)
class Published:
    """A level that a paper reports: `share` of the answers "taken_for_real", or of all answers "right"."""

    name: str
    measure: str
    share: float


@dataclasses.dataclass(frozen=True)
class Protocol:
    """A study's protocol.

    Args:
        name: the protocol's name; that of a file without its ending.
        title: heading of the pages.
        instructions: paragraphs, with an empty line between them.
        consent: as `instructions`; what the subject agrees to.
        trials: their number in one session, without the checks; divided evenly among sources and exposures.
        exposures_ms: how long pictures are shown, in milliseconds; if empty, until they are answered.
        examples: the number of real pictures that are shown before the first trial.
        checks: the number of trials in a session whose picture has shuffled pixels, which no attentive subject takes
            for real.
        feedback: whether an answer is followed by the truth.
        published: levels that are drawn together with the study's own.
        published_note: where these levels come from.
    """

    name: str
    title: str
    instructions: str
    consent: str
    trials: int
    exposures_ms: tuple[float, ...] = ()
    examples: int = 0
    checks: int = 0
    feedback: bool = False
    published: tuple[Published, ...] = ()
    published_note: str = ""

    def __post_init__(self):
        for field in ("name", "title", "instructions", "consent"):
            self._require(field, "some text", isinstance(value := getattr(self, field), str) and bool(value.strip()))
        self._require("published_note", "a text", isinstance(self.published_note, str))
        self._require("feedback", "true or false", isinstance(self.feedback, bool))
        for field, least in (("trials", 1), ("examples", 0), ("checks", 0)):
            value = getattr(self, field)
            whole = isinstance(value, int) and not isinstance(value, bool)
            self._require(
                field, f"a whole number from {least} to {MOST_TRIALS:,}", whole and least <= value <= MOST_TRIALS
            )
        numbers = all(isinstance(ms, Real) and not isinstance(ms, bool) for ms in self.exposures_ms)
        self._require("exposures_ms", "numbers of milliseconds", numbers)
        self._require("exposures_ms", "in ascending order", list(self.exposures_ms) == sorted({*self.exposures_ms}))
        expected = f"each from {FRAME_MS:.1f} ms, a frame of a screen of 60 Hz, to {LONGEST_MS:,} ms"
        self._require("exposures_ms", expected, all(FRAME_MS <= ms <= LONGEST_MS for ms in self.exposures_ms))

    def _require(self, field: str, expected: str, holds: bool) -> None:
        if not holds:
            value = getattr(self, field)
            received = list(value) if isinstance(value, tuple) else value
            raise InputError(f"protocol {self.name}: {field} should be {expected}. Received: {received!r}")

    def described(self) -> dict:
        """The protocol as a JSON object, from which `described_by` makes it again."""
        return dataclasses.asdict(self)


def load(name_or_path: str) -> Protocol:
    """A protocol by its name, such as "lapgan", or from a TOML file of the fields of `Protocol` other than `name`.

    Raises:
        InputError: there is no such protocol or file, or the file is not a protocol.
    """
    path = expanded(name_or_path)
    if path.suffix != ".toml":
        if name_or_path not in names():
            raise unknown("protocol", name_or_path, [*names(), "PATH.toml"])
        path = FOLDER / f"{name_or_path}.toml"
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}.") from error
    return described_by({"name": path.stem, **fields})


def names() -> list[str]:
    """The protocols that come with the zoo."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def described_by(fields: dict) -> Protocol:
    """The protocol that `Protocol.described` described.

    Raises:
        InputError: an unknown or a missing field, or a wrong value.
    """
    known = {field.name: field for field in dataclasses.fields(Protocol)}
    for name in fields.keys() - known.keys():
        raise unknown(f"field of protocol {fields['name']}", name, known)
    for name, field in known.items():
        if field.default is dataclasses.MISSING and name not in fields:
            raise InputError(f"protocol {fields['name']}: {name} is missing.")
    exposures, published = fields.get("exposures_ms", ()), fields.get("published", ())
    if not isinstance(exposures, list | tuple):
        raise InputError(f"protocol {fields['name']}: exposures_ms should be a list. Received: {exposures!r}")
    return Protocol(**fields | {"exposures_ms": tuple(exposures), "published": _published(fields["name"], published)})


def _published(protocol: str, levels: object) -> tuple[Published, ...]:
    made = []
    for level in levels if isinstance(levels, list | tuple) else [levels]:
        valid = isinstance(level, dict) and level.keys() == {"name", "measure", "share"}
        valid = valid and isinstance(level["name"], str) and level["measure"] in MEASURES
        valid = valid and isinstance(level["share"], Real) and 0 <= level["share"] <= 1
        if not valid:
            raise InputError(
                f"protocol {protocol}: published should hold a name, a measure ({' or '.join(MEASURES)}) and a share "
                f"from 0 to 1. Received: {level!r}"
            )
        made.append(Published(**level))
    return tuple(made)
