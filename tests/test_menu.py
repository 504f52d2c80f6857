"""The bet menu language: what every size means, and what is refused."""

import pytest

from holdem.errors import ConfigError
from holdem.game.menu import LANGUAGE, SizeKind, parse_menu, parse_size
from holdem.game.tree import build_tree
from holdem.types import BetMenu, GameConfig


def offered(menu, path="", **changes):
    """The actions at the end of *path* in a heads-up game of 50/100 with *menu*."""
    game = GameConfig(**{"menu": BetMenu(streets=menu), **changes})
    tree = build_tree(game, (1,) * game.num_streets)
    return " ".join(tree.action_token(child) for child in tree.children(tree.find(path)))


@pytest.mark.parametrize(
    ("token", "size"),
    [
        ("50%", (SizeKind.SHARE_OF_POT, 500_000)),
        ("33.3%", (SizeKind.SHARE_OF_POT, 333_000)),
        ("0.0001%", (SizeKind.SHARE_OF_POT, 1)),
        ("100000%", (SizeKind.SHARE_OF_POT, 1_000_000_000)),
        ("2.5x", (SizeKind.TIMES_BET, 2_500_000)),
        (".5x", (SizeKind.TIMES_BET, 500_000)),
        ("4c", (SizeKind.CHIPS, 4)),
        ("2147483647c", (SizeKind.CHIPS, 2147483647)),
        ("a", (SizeKind.WHOLE_STACK, 0)),
        ("*", (SizeKind.EVERY_CHIP, 0)),
    ],
)
def test_a_size_is_read(token, size):
    assert parse_size(token) == size


@pytest.mark.parametrize(
    "token",
    ["", "50", "%", "-5%", "0%", "0c", "1.5c", "1e3c", "50 %%", "1000.1x", "100001%", "b50", "A",
     "0.00001%", "2147483648c", "!fold", "call", "٣%", "a a"],
)  # fmt: skip
def test_a_bad_size_shows_itself_and_the_language(token):
    with pytest.raises(ConfigError) as error:
        parse_size(token)

    assert repr(token) in str(error.value)
    assert error.value.remedy == LANGUAGE


def test_all_bad_sizes_of_a_menu_are_told_with_their_place():
    menu = BetMenu(streets=(("50%, big", "a"), ("a", "1o0%")))

    with pytest.raises(ConfigError, match=r"'big'.*\(preflop, text 1\).*'1o0%'.*\(flop, text 2\)"):
        parse_menu(menu)


def test_more_sizes_than_a_text_may_have():
    text = ", ".join(f"{i}c" for i in range(1, 66))

    with pytest.raises(ConfigError, match="65 sizes"):
        parse_menu(BetMenu(streets=((text,),)))


def test_an_empty_size_between_commas_is_refused():
    with pytest.raises(ConfigError, match="not a bet size: ''"):
        parse_menu(BetMenu(streets=(("50%,,a",),)))


def test_a_share_of_the_pot_counts_the_call():
    """Small blind: 50 to call make the pot 200, so a pot raise is to 300; then 600 make 900."""
    menu = (("100%", "50%"), ("33%", "100%"))

    assert offered(menu) == "f c r300"
    assert offered(menu, "r300") == "f c r600"
    assert offered(menu, "c x") == "x b100"  # 66 is below the big blind
    assert offered(menu, "r300 c") == "x b198"
    assert offered(menu, "r300 c b198") == "f c r1194"  # 198 + (600 + 198 + 198)


def test_halves_of_a_chip_round_up():
    menu = (("2.5x",), ("50%",))

    assert offered(menu, blinds=(1, 3)) == "f c r8"  # 7.5
    assert offered(menu, "r8 c", blinds=(1, 3), ante=1) == "x b9"  # a pot of 18
    assert offered(menu, "r8 c", blinds=(0, 3), ante=0, stacks=(9,)) == "x a"
    assert offered((("33.3%",),), blinds=(4, 5), ante=5) == "f c r12"  # 5 + 6.66
    assert offered((("12.5%",),), blinds=(10, 10), ante=8) == "x r20"  # up to the least raise
    assert offered((("37.5%",),), blinds=(10, 10), ante=8) == "x r24"  # 13.5


def test_a_multiple_is_of_the_bet_faced_or_of_the_big_blind():
    menu = (("2.5x", "3x"), ("2x", "2.2x"))

    assert offered(menu) == "f c r250"
    assert offered(menu, "c") == "x r250"
    assert offered(menu, "r250") == "f c r750"
    assert offered(menu, "c x") == "x b200"
    assert offered(menu, "c x b200") == "f c r440"
    assert offered(menu, num_players=3, blinds=(50, 100, 200)) == "f c r500"  # a straddle


def test_chips_are_what_a_raise_adds():
    menu = (("150c", "400c"), ("120c", "300c"))

    assert offered(menu) == "f c r250"
    assert offered(menu, "r250") == "f c r650"
    assert offered(menu, "c x") == "x b120"
    assert offered(menu, "c x b120") == "f c r420"


def test_every_chip_from_the_least_raise_to_all_in():
    assert offered((("*",),), stacks=(5,), blinds=(1, 2)) == "f c r4 a"
    assert offered((("*, 50%, a",),), stacks=(5,), blinds=(1, 2)) == "f c r4 a"
    assert offered((("*",),), "r4", stacks=(5,), blinds=(1, 2)) == "f c a"


def test_sizes_are_sorted_and_merged():
    assert offered((("a, 4x, 2x, 1.1x, 1c, 2.5x, 4x", ""),)) == "f c r200 r250 r400 a"
    assert offered((("2.5x, 5x, a",),), stacks=(400,)) == "f c r250 a"


def test_a_size_above_the_stack_is_all_in_once():
    assert offered((("300%, 500%",),), stacks=(300,)) == "f c a"


def test_no_call_is_raise_or_fold():
    menu = (("2x, a, !call", "!call, 3x", ""),)

    assert offered(menu) == "f r200 a"
    assert offered(menu, "r200") == "f r600"
    assert offered(menu, "r200 r600") == "f c"


def test_no_call_leaves_checks_and_forced_calls_alone():
    menu = (("a, !call", "!call"), ("a, !call",))

    assert offered(menu, "a") == "f c"  # no raise is possible, and folding is not forced
    assert offered(menu, blinds=(100, 100)) == "x a"


def test_the_last_text_of_a_street_serves_all_later_raises():
    menu = (("2x", "2x, a"),)

    assert offered(menu, "r200 r400 r800") == "f c r1600 a"


def test_an_empty_text_and_a_street_without_texts_offer_no_raise():
    assert offered((("",), ("a",))) == "f c"
    assert offered(((), ("a",))) == "f c"
    assert offered((("2x", ""),), "r200") == "f c"
