"""Games: the files of configs/games/, the names of seats, and what is refused."""

import re
from pathlib import Path

import pytest
import yaml

from holdem.errors import ConfigError
from holdem.game.games import kuhn, leduc, position_names, push_fold
from holdem.game.tree import build_tree, count_tree
from holdem.types import STREETS, BetMenu, CardRules, GameConfig

GAMES = Path(__file__).parent.parent / "configs" / "games"


def load_game(name):
    """A game of configs/games/, read without the library's loader."""
    fields = yaml.safe_load((GAMES / f"{name}.yaml").read_text())
    menu = fields.pop("menu")
    fields["menu"] = BetMenu(streets=tuple(tuple(menu[s]) for s in STREETS[: len(menu)]))
    fields["cards"] = CardRules(**fields.pop("cards", {}))
    return GameConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})


@pytest.mark.parametrize("num_players", range(2, 10))
def test_seats_have_different_names_and_the_last_is_the_button(num_players):
    names = position_names(num_players)

    assert len(set(names)) == len(names) == num_players
    assert names[:2] == ("SB", "BB")
    assert num_players == 2 or names[-1] == "BTN"


def test_configs_are_the_games_of_the_library():
    assert load_game("kuhn") == kuhn()
    assert load_game("kuhn3") == kuhn(3)
    assert load_game("leduc") == leduc()
    assert load_game("push-fold") == push_fold(10)
    assert load_game("hu") == GameConfig()


def told(name, what):
    """How many nodes or slots the comment at the head of a config tells, and half a last digit."""
    lines = (GAMES / f"{name}.yaml").read_text().splitlines()
    comment = " ".join(line.lstrip("# ") for line in lines if line.startswith("#"))
    number, million = re.search(rf"([\d.,]*\d)( million)? {what}", comment).groups()
    unit = 10**6 if million else 1
    digits = len(number.partition(".")[2])
    return float(number.replace(",", "")) * unit, unit / 2 / 10**digits


@pytest.mark.parametrize(
    ("name", "nodes", "slots"),
    [
        ("hu", 2_371, 473_318),
        ("3-max", 80_966, 16_183_421),
        ("6-max", 1_661_723, 332_024_170),
    ],
)
def test_configs_have_the_sizes_that_their_comments_tell(name, nodes, slots):
    size = count_tree(load_game(name))

    assert (size.num_nodes, size.num_slots((169, 200, 200, 200))) == (nodes, slots)
    for what, exact in (("nodes", nodes), ("slots", slots)):
        number, error = told(name, what)
        assert number == pytest.approx(exact, abs=error)


def test_the_size_of_push_fold():
    size = count_tree(load_game("push-fold"))

    assert (size.num_nodes, size.num_slots((169,))) == (5, 676)


def test_no_limp_and_no_calling_in_push_fold():
    tree = build_tree(push_fold(8), (1,))

    assert [tree.history(node) for node in range(tree.num_nodes)] == ["", "f", "a", "a f", "a c"]


def test_a_game_without_any_decision_is_refused():
    with pytest.raises(ConfigError, match="no decision") as error:
        count_tree(GameConfig(stacks=(100, 30), blinds=(50, 100)))

    assert error.value.remedy
