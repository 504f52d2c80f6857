"""From YAML and options to the dataclasses of `holdem.types`: options > YAML > defaults.

All mistakes are found before one is reported: each is named with its line and, where
a name is unknown, the nearest right one.

YAML has traps, closed here. ``1e6`` is a number (YAML 1.1 reads a text). ``on``, ``yes``
and ``2026-11-21`` are texts, ``010`` is not eight, ``1:30`` is not ninety. A key given
twice is a mistake. Tags, which can make Python objects, are refused.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from holdem.errors import ConfigError
from holdem.types import (
    BUCKET_RULES,
    CARD_RULES,
    GAME_RULES,
    RUN_RULES,
    STREETS,
    TRAINING_RULES,
    BetMenu,
    BucketConfig,
    CardRules,
    GameConfig,
    MCCFRConfig,
    Rule,
    shown,
)

GAMES = Path(__file__).resolve().parent.parent / "configs" / "games"
"""Where games with a name are looked for, after the folder of the config itself."""

_MOST_BYTES = 1_000_000
_SECTIONS: dict[str, dict[str, Rule]] = {
    "": TRAINING_RULES | RUN_RULES,
    "game": GAME_RULES,
    "game.cards": CARD_RULES,
    "buckets": BUCKET_RULES,
}
# Keys that hold more than a rule can say.
_OTHER_KEYS = {
    "": ("epsilon_schedule", "game", "buckets"),
    "game": ("cards", "menu"),
    "game.cards": (),
    "buckets": ("path", "responder_path"),
}
_EVERY_KEY = "configs/train.yaml explains every key"
_EXPLORATION = ("exploration_epsilon", "epsilon_schedule")
"""Keys of outcome sampling."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunConfig:
    """All that a training run is made from."""

    training: MCCFRConfig = field(default_factory=MCCFRConfig)
    game: GameConfig = field(default_factory=GameConfig)
    buckets: BucketConfig = field(default_factory=BucketConfig)
    buckets_path: Path | None = None
    """A bucket set that is there already; None to make or reuse one of *buckets*."""
    responder_path: Path | None = None
    """A bucket set that makes a responder's hands finer; None for the table's own buckets."""
    explicit_buckets: bool = False
    """Whether the numbers in *buckets* were asked for; else quick ones will do."""
    num_instances: int | None = None
    """Independent runs side by side; None for one run."""


class Fault(NamedTuple):
    """One mistake: what was found and what was wanted, then what to do."""

    found: str
    remedy: str
    line: int = 0


def load_config(
    path: Path | str | None = None,
    options: Mapping[str, object] | None = None,
    *,
    option_names: Mapping[str, str] | None = None,
    check_menu: Callable[[BetMenu], object] | None = None,
) -> RunConfig:
    """Return what a run is made from: *options* beat the YAML file *path*, which beats defaults.

    A budget in *options* clears the other budget of the file: iterations the seconds,
    seconds the iterations.

    Args:
        path: a YAML file; None for none.
        options: by key, sections with a dot (``"game.ante"``); None means not given.
            Texts are read as YAML would read them where a number is wanted.
        option_names: what users call these keys (``"--iters"``), for the messages.
        check_menu: reads the bet menu's language; its `ConfigError` joins the others.

    Raises:
        ConfigError: with every mistake of the file and of the options.
    """
    reading = _Reading(None if path is None else Path(path))
    if reading.path is not None:
        reading.read_file(reading.path)
    reading.take_options(options or {}, option_names or {})
    result = reading.build(check_menu)
    reading.raise_faults()
    assert result is not None
    return result


def dump_config(
    training: MCCFRConfig,
    game: GameConfig | None = None,
    buckets_path: Path | str | None = None,
    buckets: BucketConfig | None = None,
    num_instances: int | None = None,
    responder_path: Path | str | None = None,
) -> str:
    """Return YAML that `load_config` reads back as the same configs.

    Without what the sampling makes no use of, which a file must not give.
    """
    document = _plain(asdict(training))
    if training.sampling == "external":
        for key in _EXPLORATION:
            del document[key]
    if num_instances is not None:
        document["num_instances"] = num_instances
    if game is not None:
        section = _plain(asdict(game))
        section["menu"] = dict(zip(STREETS, section["menu"]["streets"], strict=False))
        document["game"] = section
    section = {} if buckets is None else _plain(asdict(buckets))
    paths = {"path": buckets_path, "responder_path": responder_path}
    section |= {key: str(path) for key, path in paths.items() if path is not None}
    if section:
        document["buckets"] = section
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, default_flow_style=None, allow_unicode=True
    )


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of *names* that *name* was most likely meant to be, if any is near."""
    known = list(names)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.65)
    if close:
        return close[0]
    words = set(re.split(r"[_\-. ]+", name.strip("-").lower()))
    holding = [one for one in known if words & set(re.split(r"[_\-. ]+", one.strip("-")))]
    return holding[0] if len(holding) == 1 else None


def no_such_file(path: Path, what: str) -> ConfigError:
    """Return the error for *path*, which should be *what* but is not there."""
    try:
        names = (entry.name for entry in path.parent.iterdir())
        near = nearest(path.name, sorted(name for name in names if not name.startswith(".")))
    except OSError:
        near = None
    remedy = f"did you mean {path.parent / near}?" if near else "check the path"
    return ConfigError(f"{path} does not exist; wanted {what}", remedy)


# -- YAML --------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """Composes nodes, with the few plain scalars of YAML 1.2 instead of those of 1.1."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (add_implicit_resolver fills it)


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads, quoting the texts that either version would not read so."""

    def ignore_aliases(self, data: object) -> bool:
        """Write equal values twice rather than refer to the first."""
        return True


_SCALARS: dict[str, tuple[str, str, Callable[[str], object]]] = {
    "null": (r"null|Null|NULL|~|", "nN~\0", lambda text: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF", lambda text: text.lower() == "true"),
    # Not any number of digits: Python refuses to read more than 4,300.
    "int": (
        r"[-+]?(?:0|[1-9][0-9_]{0,99})",
        "-+0123456789",
        lambda text: int(text.replace("_", "")),
    ),
    "float": (
        r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+",
        "-+.0123456789",
        lambda text: float(text.replace("_", "")),
    ),
}
_TAG = "tag:yaml.org,2002:"
for _name, (_pattern, _first, _) in _SCALARS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            _TAG + _name, re.compile(rf"(?:{_pattern})\Z"), [c.strip("\0") for c in _first]
        )


def _compose(path: Path) -> yaml.Node | None:
    """Return the YAML of *path* as nodes."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise no_such_file(path, "a YAML config") from None
    except OSError as error:
        raise ConfigError(
            f"cannot read {path}: {error.strerror or error}", "give a YAML file"
        ) from error
    if len(data) > _MOST_BYTES:
        raise ConfigError(f"{path} is larger than a config can be", "give a YAML file")
    try:
        return yaml.compose(data, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        remedy = (
            "indent with spaces; YAML allows no tabs"
            if "'\\t'" in (error.problem or "")
            else "mend the YAML there; texts with * or ! or : need quotes"
        )
        raise ConfigError(f"{path}{where}: {error.problem or error}", remedy) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise ConfigError(f"{path} is not YAML", "give a YAML file") from None


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == _TAG + "null"


def _plain(value: Any) -> Any:
    """Return *value* with tuples as lists."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, (tuple, list)) else value


# -- reading -----------------------------------------------------------------------------------


class _Reading:
    """Values and mistakes on the way from files and options to a `RunConfig`."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.faults: list[Fault] = []
        self.values: dict[str, Any] = {}
        self.lines: dict[str, int] = {}
        self.names: dict[str, str] = {}

    # -- the file --

    def read_file(self, path: Path) -> None:
        """Take in the YAML file *path*."""
        root = _compose(path)
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(f"{path} holds no keys with values", _EVERY_KEY)
        self._read_section("", root)

    def _read_section(self, section: str, node: yaml.Node) -> None:
        """Take in the keys of one section, and of the sections in it."""
        if _is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, f"{section} must hold keys with values", _EVERY_KEY)
            return
        known = [*_SECTIONS[section], *_OTHER_KEYS[section]]
        for name, value in self._entries(node):
            key = f"{section}.{name}" if section else name
            self.lines[key] = value.start_mark.line + 1
            if name not in known:
                self._fault(value, f"unknown key {key}", _remedy_for_key(name, known))
            elif key in ("game", "buckets") and _is_null(value):
                continue
            elif key == "game" and isinstance(value, yaml.ScalarNode):
                self._read_game_file(value)
            elif key == "buckets" and isinstance(value, yaml.ScalarNode):
                self.values["buckets.path"] = value.value
            elif key in _SECTIONS:
                self._read_section(key, value)
            else:
                self.values[key] = self._value(value)

    def _read_game_file(self, node: yaml.ScalarNode) -> None:
        """Take in the game that *node* names."""
        name = node.value
        base = self.path.parent if self.path else Path()
        places = [base / name, Path(name), base / "games" / f"{name}.yaml", GAMES / f"{name}.yaml"]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            games = sorted(path.stem for path in GAMES.glob("*.yaml"))
            near = nearest(name, games)
            remedy = f"did you mean {near}?" if near else f"the games are {', '.join(games)}"
            self._fault(node, f"game {name!r} is neither a name nor a file of a game", remedy)
            return
        try:
            root = _compose(found)
        except ConfigError as error:
            self._fault(node, str(error), error.remedy)
            return
        if root is not None:
            # Lines of another file would mislead, so its mistakes carry its name.
            inner = _Reading(found)
            inner._read_section("game", root)
            self.values |= inner.values
            self.faults += [
                one._replace(
                    found=f"{found}, line {one.line}: {one.found}", line=node.start_mark.line + 1
                )
                for one in inner.faults
            ]

    def _entries(self, node: yaml.MappingNode) -> list[tuple[str, yaml.Node]]:
        """Return keys and values of a mapping; a key given twice is a mistake."""
        first: dict[str, int] = {}
        entries = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                what = "a list" if isinstance(key, yaml.SequenceNode) else "a mapping"
                self._fault(key, f"a key is {what}, and must be a text", "write it as KEY: VALUE")
                continue
            name, line = str(key.value), key.start_mark.line + 1
            if name in first:
                found = f"{name} is given twice, first on line {first[name]}"
                self._fault(key, found, "leave one of them out")
                continue
            first[name] = line
            entries.append((name, value))
        return entries

    def _value(self, node: yaml.Node, above: tuple[yaml.Node, ...] = ()) -> Any:
        """Return what a node holds: scalars, lists and mappings of them."""
        if node in above or len(above) > 8:
            self._fault(node, "a value that holds itself, or is too deep", "write it out plainly")
            return None
        above = (*above, node)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(one, above) for one in node.value]
        if isinstance(node, yaml.MappingNode):
            return {name: self._value(value, above) for name, value in self._entries(node)}
        kind = node.tag.removeprefix(_TAG)
        if kind in _SCALARS and re.fullmatch(_SCALARS[kind][0], str(node.value)):
            return _SCALARS[kind][2](node.value)
        if kind != "str":
            self._fault(node, f"the tag {node.tag} is of no use here", "leave it out")
        return node.value

    def _fault(self, node: yaml.Node, found: str, remedy: str) -> None:
        self.faults.append(Fault(found, remedy, node.start_mark.line + 1))

    # -- options --

    def take_options(self, options: Mapping[str, object], names: Mapping[str, str]) -> None:
        """Take in *options* over what the file said."""
        given = {key: value for key, value in options.items() if value is not None}
        budgets = ("num_iterations", "time_budget_seconds")
        if any(key in given for key in budgets):
            for key in budgets:
                self.values.pop(key, None)
        for key, value in given.items():
            section, _, name = key.rpartition(".")
            rule = _SECTIONS[section].get(name)
            if isinstance(value, str) and rule is not None and rule.kind is not str:
                value = parse_scalar(value)
            self.values[key] = value
            self.lines.pop(key, None)
            self.names[key] = names.get(key, key)
        if "num_players" in given:
            self.values["game.num_players"] = self.values["num_players"]
            self.names["game.num_players"] = self.names["num_players"]
            self.values["buckets.num_players"] = self.values["num_players"]
            self.names["buckets.num_players"] = self.names["num_players"]

    # -- from values to configs --

    def build(self, check_menu: Callable[[BetMenu], object] | None) -> RunConfig | None:
        """Return the configs, or None if there is any mistake."""
        self._agree_on_players()
        good = {section: self._convert_section(section) for section in _SECTIONS}
        if "epsilon_schedule" in self.values:
            good[""]["epsilon_schedule"] = self.values["epsilon_schedule"]
        menu = self._menu(check_menu)
        if menu is not None:
            good["game"]["menu"] = menu
        cards = self._make("game.cards", CardRules, good["game.cards"])
        if cards is not None:
            good["game"]["cards"] = cards
        players = good["game"].get("num_players", 2)
        if not any(key.startswith("game.") for key in self.values if key != "game.num_players"):
            good["game"].setdefault("name", "hu" if players == 2 else f"{players}-max")
        good[""].setdefault("num_players", players)
        num_instances = good[""].pop("num_instances", None)
        good["buckets"].setdefault("num_players", players)
        training = self._make("", MCCFRConfig, good[""])
        game = self._make("game", GameConfig, good["game"])
        buckets = self._make("buckets", BucketConfig, good["buckets"])
        path, responder_path = self._path("buckets.path"), self._path("buckets.responder_path")
        self._refuse_unused_buckets(cards)
        self._refuse_unused_exploration(training, good[""])
        if responder_path is not None and path is None:
            self._fault_at(
                "buckets.responder_path",
                "buckets.responder_path makes the buckets of buckets.path finer, and that is not "
                "given",
                "name the table's bucket set by --buckets, too",
            )
        if responder_path is not None and training is not None and training.opponent == "itself":
            self._fault_at(
                "buckets.responder_path",
                "buckets.responder_path is for a responder, and the table trains against itself",
                "add --opponent responder, or leave --responder-buckets out",
            )
        if self.faults or training is None or game is None or buckets is None:
            return None
        return RunConfig(
            training=training,
            game=game,
            buckets=buckets,
            buckets_path=path,
            responder_path=responder_path,
            explicit_buckets=any(
                key.startswith("buckets.")
                and key.removeprefix("buckets.") not in (*_OTHER_KEYS["buckets"], "num_players")
                for key in self.values
            ),
            num_instances=num_instances,
        )

    def _refuse_unused_buckets(self, cards: CardRules | None) -> None:
        """Numbers of buckets, or a set, where nothing would come of them are mistakes."""
        given = [
            key
            for key in self.values
            if key.startswith("buckets.") and key != "buckets.num_players"
        ]
        if given and cards is not None and cards.kind == "one-card":
            self._fault_at(
                given[0],
                f"{self._name(given[0])} is for hold'em, and a game of one card has no bucket sets",
                "leave it out",
            )
        path = "buckets.path"
        if self.values.get(path) is None:
            return
        # An option may name a set in the place of what a file says, and the reverse.
        for key in given:
            name = key.removeprefix("buckets.")
            if name not in _OTHER_KEYS["buckets"] and self._is_option(key) == self._is_option(path):
                self._fault_at(
                    key,
                    f"{self._name(key)} is of a bucket set to be made, and {self._name(path)} "
                    "names one that is there",
                    "leave one of them out",
                )

    def _refuse_unused_exploration(
        self, training: MCCFRConfig | None, given: Mapping[str, Any]
    ) -> None:
        """How to explore, where nothing does, is a mistake."""
        if training is None or training.sampling == "outcome":
            return
        usual = MCCFRConfig()
        for key in _EXPLORATION:
            in_file = not self._is_option(key)
            if key not in given or (in_file and self._is_option("sampling")):
                continue  # an option has the file's run sample otherwise
            if in_file and getattr(training, key) == getattr(usual, key):
                continue
            self._fault_at(
                key,
                f"{self._name(key)} is of outcome sampling, and sampling is external",
                "add --sampling outcome, or leave it out",
            )

    def _is_option(self, key: str) -> bool:
        """Whether an option has the last word on *key*."""
        return key in self.names

    def _path(self, key: str) -> Path | None:
        path = self.values.get(key)
        if path is None or isinstance(path, (str, Path)):
            return None if path is None else Path(path)
        self._fault_at(key, f"{key} is {shown(path)}, and must be a text")
        return None

    def raise_faults(self) -> None:
        """Raise one error with all mistakes, in the order of their lines; none, none."""
        faults = sorted(dict.fromkeys(self.faults), key=lambda fault: fault.line)
        texts = [(f"line {one.line}: " if one.line else "") + one.found for one in faults]
        where = f"{self.path}" if self.path is not None else "the options"
        if len(faults) == 1:
            prefix = f"{where}, " if faults[0].line else ""
            raise ConfigError(prefix + texts[0], faults[0].remedy or _EVERY_KEY)
        if faults:
            lines = [
                f"  {text}" + (f" ({one.remedy})" if one.remedy else "")
                for text, one in zip(texts, faults, strict=True)
            ]
            lines = [f"{len(faults)} mistakes in {where}:", *lines]
            raise ConfigError("\n".join(lines), _EVERY_KEY)

    def _convert_section(self, section: str) -> dict[str, Any]:
        """Return the values of *section* that its rules accept; the others are faults."""
        good = {}
        for name, rule in _SECTIONS[section].items():
            key = f"{section}.{name}" if section else name
            if key not in self.values:
                continue
            try:
                good[name] = rule.convert(self.values[key])
            except ValueError:
                self._fault_at(
                    key,
                    f"{self._name(key)} is {shown(self.values[key])}, and must be {rule.wanted}",
                )
        return good

    def _make(self, section: str, kind: Callable[..., Any], values: Mapping[str, Any]) -> Any:
        """Return the dataclass of *section*; what does not go together is a fault."""
        try:
            return kind(**values)
        except ConfigError as error:
            self._fault_at(section, str(error), error.remedy)
            return None

    def _menu(self, check: Callable[[BetMenu], object] | None) -> BetMenu | None:
        given = self.values.get("game.menu")
        if given is None:
            return None
        if isinstance(given, dict):
            unknown = [name for name in given if name not in STREETS]
            missing = [name for name in STREETS[: len(given)] if name not in given]
            if unknown or missing:
                wrong = f"has {unknown[0]}" if unknown else f"lacks {missing[0]}"
                near = nearest(unknown[0], STREETS) if unknown else None
                self._fault_at(
                    "game.menu",
                    f"game.menu {wrong}, and must hold streets from {', '.join(STREETS)}, "
                    "none left out before another",
                    f"did you mean {near}?" if near else "name the streets in order",
                )
                return None
            given = [given[name] for name in STREETS[: len(given)]]
        try:
            menu = BetMenu(streets=tuple(given) if isinstance(given, list) else given)
            if check is not None:
                check(menu)
        except ConfigError as error:
            self._fault_at("game.menu", str(error), error.remedy)
            return None
        return menu

    def _agree_on_players(self) -> None:
        """The number of players may be given in three places, and must be one number."""
        numbers = {
            key: self.values[key]
            for key in ("game.num_players", "num_players", "buckets.num_players")
            if key in self.values
        }
        if len({str(number) for number in numbers.values()}) > 1:
            said = ", ".join(f"{self._name(key)} is {shown(n)}" for key, n in numbers.items())
            self._fault_at(list(numbers)[-1], f"{said}: they must agree", "leave all but one out")
        elif numbers:
            self.values.setdefault("game.num_players", next(iter(numbers.values())))

    def _name(self, key: str) -> str:
        return self.names.get(key, key)

    def _fault_at(self, key: str, found: str, remedy: str = "") -> None:
        self.faults.append(Fault(found, remedy, self.lines.get(key, 0)))


def parse_scalar(text: str) -> object:
    """Return *text* as YAML would read it without quotes: ``"1e6"`` is a number."""
    for pattern, _, convert in _SCALARS.values():
        if re.fullmatch(pattern, text):
            return convert(text)
    return text


def _remedy_for_key(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    if near is not None:
        return f"did you mean {near}?"
    for other in _SECTIONS:
        if name in _SECTIONS[other] or name in _OTHER_KEYS[other]:
            return f"it belongs to the section {other}:" if other else "it belongs to no section"
    return _EVERY_KEY
