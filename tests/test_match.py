"""Matches: hands by the rules, intervals, duplicate deals, the same for any number of workers."""

import dataclasses
import threading
from collections import Counter

import numpy as np
import pytest

from holdem._core.deal import DEAL_DTYPE
from holdem._core.equity import preflop_equities
from holdem.errors import ConfigError, MismatchError
from holdem.evaluation.baselines import STYLES, Style, StylePolicy, baseline, bucket_ranks
from holdem.evaluation.contestants import Contestant, units_of
from holdem.evaluation.estimates import Z95, Estimate, quantile95
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.evaluation.match import FIRST_DEAL, Match, play_match
from holdem.evaluation.played_hands import histories, state_of
from holdem.evaluation.shared_table import SharedTable
from holdem.evaluation.translated_table import TranslatedTable
from holdem.game.cards import CLASS_COMBOS, CLASS_NAMES
from holdem.game.games import kuhn, leduc, push_fold
from holdem.game.history import dumps_all, loads_all
from holdem.game.policy import TabularPolicy, UniformPolicy
from holdem.game.tree import ActionKind, build_tree
from holdem.mccfr.instance_plan import MOST_INSTANCES, TIME_STREAM
from holdem.types import BetMenu, GameConfig
from tests.buckets import StripedBuckets
from tests.reference.games import one_card, random_policy, tree_of
from tests.reference.walk import Stream
from tests.test_aivat import BothSeats, Rounded

SMALL_MENU = BetMenu(streets=(("2.5x, a", "a"), ("50%, a", "a"), ("a",), ("a",)))
LARGE_MENU = BetMenu(
    streets=(("2x, 3x, a", "3x, a", "a"), ("33%, 100%, a", "a"), ("75%, a", "a"), ("50%, a", "a"))
)


@pytest.fixture(scope="module")
def equities():
    return preflop_equities()


@pytest.fixture(scope="module")
def buckets(equities):
    return StripedBuckets(5, preflop_equities=equities)


def contestant(game, buckets=None, seed=1, name="first"):
    """Somebody who plays at random, but always the same way."""
    if buckets is None:
        return Contestant(name, random_policy(tree_of(game), seed))
    return Contestant(name, random_policy(build_tree(game, buckets.num_buckets), seed), buckets)


def heads_up(**fields):
    return GameConfig(**{"stacks": (2_000,), "menu": SMALL_MENU, **fields})


# --- hands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("players", [2, 3])
def test_hands_are_those_of_the_streams(players):
    """Every action is the stream's draw of the row of whoever acts, looked up slowly."""
    game = kuhn(3) if players == 3 else leduc()
    first, second = contestant(game, seed=1), contestant(game, seed=2, name="second")
    tree = first.tree
    table = SharedTable(first, second, seed=9, duplicate=True, aivat=False, num_workers=1)
    deals = np.zeros(50, DEAL_DTYPE)
    first.dealer().deal(9, FIRST_DEAL, deals)

    for hands in table.play(FIRST_DEAL, 0, 50):
        units = [units_of((first if seat == hands.seat else second).policy) for seat in range(3)]
        for place, deal in enumerate(deals):
            stream = Stream(9, FIRST_DEAL + place, 16 + hands.seat)
            node = 0
            while tree.nodes["num_actions"][node]:
                record = tree.nodes[node]
                rows = units[record["actor"]][tree.slots(node)]
                bucket = deal["bucket"][record["street"]][record["actor"]]
                row = rows.reshape(-1, record["num_actions"])[bucket]
                draw = stream.next_below(65_535)
                node = int(record["first_child"] + np.searchsorted(np.cumsum(row), draw, "right"))
            assert hands.endings[place] == node


@pytest.mark.parametrize(
    "game",
    [
        heads_up(),
        heads_up(stacks=(700, 2_000)),
        heads_up(num_players=3, stacks=(415, 1_000, 777), blinds=(3, 5)),
        heads_up(num_players=4, stacks=(55, 101, 77, 160), blinds=(3, 5), ante=1),
    ],
    ids=["heads-up", "short", "three", "four"],
)
def test_chips_are_divided_as_the_rules_do(game, buckets):
    """Side pots, odd chips and all: each hand is played again by `State`, on real cards."""
    game = dataclasses.replace(game, menu=BetMenu(streets=(("2x, a", "a"), ("a",), ("a",), ("a",))))
    first, second = contestant(game, buckets, 1), contestant(game, buckets, 2, "second")
    table = SharedTable(first, second, seed=3, duplicate=True, aivat=False, num_workers=1)

    showdowns = 0
    for hands in table.play(FIRST_DEAL, 0, 150):
        for place in range(len(hands.numbers)):
            state = state_of(first.tree, hands.cards[place].tolist(), int(hands.endings[place]))
            assert state.payoffs() == tuple(hands.chips[place].tolist())
            showdowns += len(state.live) > 1
    assert showdowns > 50


def test_histories_can_be_read_back_and_pay_the_same(buckets):
    game = heads_up(num_players=3)
    first, second = contestant(game, buckets, 1), contestant(game, buckets, 2, "second")
    table = SharedTable(first, second, seed=3, duplicate=True, aivat=False, num_workers=1)

    for hands in table.play(FIRST_DEAL, 0, 30):
        text = dumps_all(histories(hands, first.tree, ("first", "second")))
        read = loads_all(text)
        assert [tuple(one.payoffs()) for one in read] == [tuple(c) for c in hands.chips.tolist()]
        names = read[0].details["players"]
        assert [names.index("first"), names.count("second")] == [hands.seat, 2]


def test_cards_of_a_match_are_not_those_of_training(buckets):
    dealer = contestant(heads_up(), buckets).dealer()
    trained, played = np.empty((200, 9), np.uint8), np.empty((200, 9), np.uint8)
    dealer.cards(0, 0, trained)
    dealer.cards(0, FIRST_DEAL, played)
    assert not (trained[:, None] == played[None]).all(axis=2).any()
    assert FIRST_DEAL > MOST_INSTANCES * TIME_STREAM  # beyond all that is trained on
    assert all(len(set(row)) == 9 for row in played.tolist())


# --- figures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("game", [kuhn(), leduc()], ids=["kuhn", "leduc"])
def test_means_are_the_exact_values(game):
    """By position, within four standard errors, and the interval is as wide as it should be."""
    first, second = contestant(game, seed=1), contestant(game, seed=2, name="second")
    rounded = [Rounded(one.policy) for one in (first, second)]
    evaluator = PolicyEvaluator(first.tree)
    unit = 1000 / game.big_blind
    exact = (
        evaluator.evaluate(BothSeats(rounded)).values[0] * unit,
        evaluator.evaluate(BothSeats(rounded[::-1])).values[1] * unit,
    )

    result = play_match(first, second, 100_000, seed=5)

    assert result.aivat is not None
    assert result.num_hands == 2 * result.num_deals == 100_000
    for outcome in (result.plain, result.aivat):
        assert outcome.total.mean == pytest.approx(
            sum(exact) / 2, abs=2 * outcome.total.error + 1e-6
        )
        for position, wanted in zip(outcome.positions, exact, strict=True):
            assert position.mean == pytest.approx(wanted, abs=2 * position.error + 1e-6)
    totals = [
        play_match(first, second, 2_000, seed=seed, aivat=False).plain.total
        for seed in range(100, 160)
    ]
    inside = [total.interval[0] < sum(exact) / 2 < total.interval[1] for total in totals]
    assert np.mean(inside) >= 0.85


def test_the_interval_is_that_of_the_deals():
    first = contestant(leduc())
    seen = []
    match = Match(first, contestant(leduc(), seed=2), seed=1)
    result = match.play(3_000, seen.append)

    by_seat = [
        np.concatenate([hands.chips[:, seat] for hands in seen if hands.seat == seat])
        for seat in (0, 1)
    ]
    deals = np.mean(by_seat, axis=0) * 1000
    total = result.plain.total
    assert (total.count, result.num_deals) == (1_500, 1_500)
    assert total.mean == pytest.approx(deals.mean())
    assert total.error == pytest.approx(Z95 * deals.std(ddof=1) / 1_500**0.5)
    assert total.interval == (total.mean - total.error, total.mean + total.error)


def test_who_always_folds_loses_750(buckets):
    """The small blind as often as the big one, to an opponent who always raises."""
    first = contestant(heads_up(), buckets)
    tree = first.tree
    ranks = tuple(np.full(count, 0.5) for count in tree.bucket_counts)
    raiser = Contestant("raiser", StylePolicy(tree, Style(1.0, 1.0), ranks), buckets)

    result = play_match(baseline("fold", first), raiser, 4_000)

    for outcome in (result.plain, result.aivat):
        assert outcome.total.mean == pytest.approx(-750, abs=1e-9)
        assert [position.mean for position in outcome.positions] == pytest.approx([-500, -1000])
        assert outcome.total.sd == pytest.approx(0, abs=1e-9)


def test_equals_come_out_even(buckets):
    """Duplicate deals leave who always calls nothing to win from its like; uniform play little."""
    first = contestant(heads_up(), buckets)
    caller = baseline("call", first)
    uniform = Contestant("uniform", UniformPolicy(first.tree), buckets)

    called = play_match(caller, caller, 2_000, aivat=False).plain
    played = play_match(uniform, uniform, 20_000)

    assert (called.total.mean, called.total.sd) == (0, 0)
    assert called.hand_sd > 500
    assert abs(played.aivat.total.mean) < 2 * played.aivat.total.error
    assert abs(played.plain.total.mean) < 2 * played.plain.total.error


@pytest.mark.parametrize("aivat", [True, False])
def test_workers_change_nothing(aivat):
    first, second = contestant(leduc()), contestant(leduc(), seed=2)
    results = [
        play_match(first, second, 10_000, seed=3, aivat=aivat, num_workers=workers)
        for workers in (1, 2, 3)
    ]
    assert results[0] == results[1] == results[2]


def test_another_seed_is_another_match():
    first, second = contestant(leduc()), contestant(leduc(), seed=2)
    one, other = (play_match(first, second, 500, seed=seed, aivat=False) for seed in (1, 2))
    assert one != other


def test_all_seatings_of_one_among_others():
    """With three players each deal is played three times; the copies win what the first loses."""
    first, second = contestant(kuhn(3)), contestant(kuhn(3), seed=2, name="second")
    exact = []
    for seat in range(3):
        seats = [first if other == seat else second for other in range(3)]
        policy = BothSeats([Rounded(one.policy) for one in seats])
        exact.append(PolicyEvaluator(first.tree).evaluate(policy).values[seat] * 1000)

    result = play_match(first, second, 60_000)

    assert result.aivat is None
    assert (result.num_deals, len(result.plain.positions)) == (20_000, 3)
    for position, wanted in zip(result.plain.positions, exact, strict=True):
        assert position.mean == pytest.approx(wanted, abs=2 * position.error)


def test_without_duplicate_seats_take_turns():
    seen = []
    match = Match(contestant(kuhn()), contestant(kuhn(), seed=2), duplicate=False)
    result = match.play(1_001, seen.append)

    assert result.num_hands == result.num_deals == 1_001
    assert Counter(int(n % 2) for hands in seen for n in hands.numbers) == {0: 501, 1: 500}
    assert all((hands.numbers % 2 == hands.seat).all() for hands in seen)


def test_a_pilot_says_how_many_hands_it_takes():
    match = Match(contestant(leduc()), contestant(leduc(), seed=2), aivat=False)
    pilot = match.pilot()
    hands = pilot.hands_for(20, match.hands_per_deal)

    assert pilot.hands_for(10, 2) == pytest.approx(4 * hands, rel=0.01)
    assert match.play(hands).plain.total.error == pytest.approx(20, rel=0.1)
    assert match.pilot().estimate == pilot.estimate


@pytest.mark.parametrize(
    ("count", "wanted"),
    [(2, 12.7062), (6, 2.5706), (7, 2.4469), (11, 2.2281), (31, 2.0423), (101, 1.9840)],
)
def test_few_figures_have_a_wide_interval(count, wanted):
    """As tables of Student's t have it."""
    assert quantile95(count) == pytest.approx(wanted, abs=2e-4)
    assert Estimate(mean=0, sd=3, count=count).error == quantile95(count) * 3 / count**0.5


def test_many_figures_have_the_interval_of_the_normal_distribution():
    assert quantile95(1_001) == quantile95(10**6) == Z95
    assert quantile95(1_000) == pytest.approx(Z95, rel=0.0013)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_pilot_keeps_all_threads_at_work(workers, monkeypatch):
    """Each of them waits until the others have begun."""
    match = Match(contestant(kuhn()), contestant(kuhn(), seed=2), num_workers=workers)
    begun, play = threading.Barrier(workers, timeout=10), match._table.play

    def together(*numbers):
        begun.wait()
        return play(*numbers)

    monkeypatch.setattr(match._table, "play", together)
    assert match.pilot(match.pilot_deals).seconds_per_hand > 0


def test_probabilities_are_made_once(buckets):
    """Those of a baseline are no view of anything."""
    caller = baseline("call", contestant(heads_up(), buckets))
    assert caller.rows()[1] is caller.rows()[1]


# --- different buckets and menus ---------------------------------------------------------------


@pytest.fixture(scope="module")
def other_buckets(equities):
    return StripedBuckets(3, preflop_equities=equities)


@pytest.mark.parametrize("alike", [True, False], ids=["same buckets", "other buckets"])
@pytest.mark.parametrize("players", [2, 3])
def test_a_hand_followed_is_the_hand_that_compiled_code_plays(
    players, alike, buckets, other_buckets
):
    """Where both have one bet menu: the same cards, draws and chips; each its own buckets."""
    game = heads_up(num_players=players)
    first = contestant(game, buckets, 1)
    second = contestant(game, buckets if alike else other_buckets, 2, "second")
    compiled = SharedTable(first, second, seed=4, duplicate=True, aivat=False, num_workers=1)
    followed = TranslatedTable(first, second, seed=4, duplicate=True)

    for one, other in zip(
        compiled.play(FIRST_DEAL, 0, 60), followed.play(FIRST_DEAL, 0, 60), strict=True
    ):
        assert one.seat == other.seat
        assert one.chips.tolist() == other.chips.tolist()


def test_aivat_has_no_bias_between_different_buckets(buckets, other_buckets):
    first = contestant(heads_up(), buckets)
    second = contestant(heads_up(), other_buckets, 2, "second")

    result = play_match(first, second, 10_000)

    plain, aivat = result.plain.total, result.aivat.total
    assert aivat.error < plain.error
    assert abs(aivat.mean - plain.mean) < 2 * (aivat.error + plain.error)


def test_policies_of_different_menus_meet(buckets):
    first = contestant(heads_up(), buckets)
    second = contestant(heads_up(menu=LARGE_MENU), buckets, 2, "second")
    seen = []
    match = Match(first, second, seed=1)
    result = match.play(200, seen.append)

    assert match.translated
    assert result.aivat is None
    assert all((hands.chips.sum(axis=1) == 0).all() for hands in seen)
    assert result == Match(first, second, seed=1, num_workers=2).play(200)
    texts = [dumps_all(histories(hands, first.tree, ("a", "b"))) for hands in seen]
    assert sum(len(loads_all(text)) for text in texts) == 200
    with pytest.raises(ConfigError, match="AIVAT is for policies with one bet menu"):
        Match(first, second, aivat=True)


@pytest.mark.parametrize("first", [0, 1], ids=["push/fold first", "push/fold second"])
def test_chips_are_those_of_the_game_that_is_played(first, buckets):
    """Push/fold of 50/100 against four streets of 1/2: 10 big blinds are 20 chips."""
    tree = build_tree(push_fold(10), (169,))
    shover = Contestant("shover", random_policy(tree, 1), StripedBuckets(1, 1))
    other = contestant(heads_up(stacks=(20,), blinds=(1, 2)), buckets, 2, "other")
    players = [other, other]
    players[first] = shover
    seen = []
    match = Match(*players, seed=1)
    total = match.play(100, seen.append).plain.total

    won = np.concatenate([hands.chips[:, hands.seat] for hands in seen])
    assert match.game == other.tree.game
    assert 1 <= np.abs(won).max() <= 20
    assert total.mean == pytest.approx(won.mean() * 500)
    assert all(state.game.big_blind == 2 for hands in seen for state in hands.states)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_players": 3}, "players 2 for first, 3 for second"),
        ({"stacks": (5_000,)}, r"stacks \(20.0, 20.0\) for first, \(50.0, 50.0\)"),
        ({"blinds": (25, 100)}, "blinds"),
        ({"ante": 10}, "ante 0.0 for first, 0.1 for second"),
    ],
)
def test_policies_of_different_games_are_refused(change, message, buckets):
    first = contestant(heads_up(), buckets)
    with pytest.raises(MismatchError, match=f"different games: .*{message}"):
        Match(first, contestant(heads_up(**change), buckets, 2, "second"))


def test_one_card_games_are_not_translated():
    first = contestant(one_card(4, ante=1, menu="a"))
    with pytest.raises(MismatchError, match="different betting trees"):
        Match(first, contestant(one_card(4, ante=1, menu="1c, a")))
    with pytest.raises(MismatchError, match="different games: cards"):
        Match(first, contestant(one_card(4, ante=1, menu="a", ranks=4)))


@pytest.mark.parametrize("hands", [0, -5])
def test_a_match_has_hands(hands):
    match = Match(contestant(kuhn()), contestant(kuhn()))
    with pytest.raises(ConfigError, match="match of"):
        match.play(hands)


def test_a_set_of_other_buckets_is_refused(buckets):
    first = contestant(heads_up(), buckets)
    wrong = Contestant("first", first.policy, StripedBuckets(1))
    with pytest.raises(MismatchError, match="169/5/5/5 buckets a street"):
        wrong.dealer()
    with pytest.raises(ConfigError, match="needs buckets"):
        Contestant("first", first.policy).dealer()


# --- baselines --------------------------------------------------------------------------------


def frequencies(player, node):
    """How often each kind of action is taken at *node*, by the buckets of the one-card game."""
    rows = player.policy.strategy(node)
    assert rows.sum(axis=1) == pytest.approx(1)
    tree = player.tree
    kinds = [ActionKind(int(tree.action_kinds[child])).name for child in tree.children(node)]
    return dict(zip(kinds, rows.mean(axis=0).tolist(), strict=True))


def test_baselines_do_what_they_are_called():
    """A deck of ten ranks: a tenth of the hands each."""
    game = one_card(6, ranks=10, suits=1, ante=1, menu="2c, a")
    player = contestant(game)
    tree = player.tree
    facing = tree.find("b2")

    def play(name, node):
        return frequencies(baseline(name, player), node)

    assert play("random", 0) == pytest.approx({"CHECK": 1 / 3, "BET": 1 / 3, "ALL_IN": 1 / 3})
    assert play("call", 0) == {"CHECK": 1, "BET": 0, "ALL_IN": 0}
    assert play("call", facing) == {"FOLD": 0, "CALL": 1, "RAISE": 0, "ALL_IN": 0}
    assert play("fold", 0) == {"CHECK": 1, "BET": 0, "ALL_IN": 0}
    assert play("fold", facing) == {"FOLD": 1, "CALL": 0, "RAISE": 0, "ALL_IN": 0}
    assert play("tight", 0) == pytest.approx({"CHECK": 0.9, "BET": 0.1, "ALL_IN": 0})
    assert play("tight", facing) == pytest.approx(
        {"FOLD": 0.7, "CALL": 0.2, "RAISE": 0.1, "ALL_IN": 0}
    )
    assert play("aggressive", 0) == pytest.approx({"CHECK": 0.5, "BET": 0.5, "ALL_IN": 0})
    assert play("aggressive", facing) == pytest.approx(
        {"FOLD": 0.2, "CALL": 0.3, "RAISE": 0.5, "ALL_IN": 0}
    )


def test_who_cannot_limp_makes_the_smallest_raise(buckets):
    menu = BetMenu(streets=(("2.5x, a, !call", "a"), ("a",), ("a",), ("a",)))
    caller = baseline("call", contestant(heads_up(menu=menu), buckets))
    assert frequencies(caller, 0) == {"FOLD": 0, "RAISE": 1, "ALL_IN": 0}


def test_ranks_are_those_of_the_cards(equities):
    """Before the flop the best of 169 classes are the big pairs, the worst the small offsuit."""
    tree = build_tree(heads_up(menu=BetMenu(streets=(("a",),))), (169,))
    player = Contestant("", UniformPolicy(tree), StripedBuckets(1, 1, equities))
    ranks = bucket_ranks(tree, player.dealer())[0]

    order = [CLASS_NAMES[bucket] for bucket in np.argsort(-ranks)]
    assert order[:3] == ["AA", "KK", "QQ"]
    assert "32o" in order[-4:]
    assert (ranks * CLASS_COMBOS).sum() / 1326 == pytest.approx(0.5, abs=0.005)


def test_there_is_no_other_baseline():
    with pytest.raises(ConfigError, match="no baseline 'maniac'") as caught:
        baseline("maniac", contestant(kuhn()))
    assert all(name in caught.value.remedy for name in STYLES)


def test_units_sum_to_one():
    tree = tree_of(leduc())
    policy = random_policy(tree, 3)
    units = units_of(policy)
    for node in np.flatnonzero(tree.nodes["num_actions"]):
        rows = units[tree.slots(node)].reshape(policy.strategy(node).shape)
        assert (rows.sum(axis=1, dtype=int) == 65_535).all()
        assert rows / 65_535 == pytest.approx(policy.strategy(node), abs=3e-5)
    assert isinstance(policy, TabularPolicy)
