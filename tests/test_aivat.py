"""AIVAT: no bias whatever the values are, and less luck when they are good."""

from itertools import product

import numpy as np
import pytest

from holdem._core import indexer
from holdem._core.aivat import Estimator, Matchup
from holdem._core.deal import DEAL_DTYPE
from holdem._core.equity import preflop_equities
from holdem._core.evaluator import evaluate
from holdem.evaluation import aivat
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.evaluation.match import Match
from holdem.game.games import kuhn, leduc, push_fold
from holdem.game.tree import Ending, build_tree
from holdem.types import BetMenu, CardRules, GameConfig
from tests.buckets import StripedBuckets
from tests.reference.games import one_card, random_policy, tree_of

THREE_STREETS = GameConfig(
    name="three streets",
    stacks=(5,),
    blinds=(),
    ante=1,
    first_to_act=(0, 0, 0),
    cards=CardRules(kind="one-card", ranks=3, suits=2, board_street=1),
    menu=BetMenu(streets=(("1c, a", "a"),) * 3),
)
ALL_IN_EARLY = one_card(4, ranks=4, suits=2, ante=1, public=True, menu="a")


def all_deals(game):
    """Each deal of a one-card game for two: ranks, and how likely they are."""
    cards = game.cards
    public = cards.board_street is not None
    deals, weights = [], []
    for dealt in product(range(cards.ranks), repeat=2 + public):
        ways = 1
        for place, rank in enumerate(dealt):
            ways *= max(cards.suits - dealt[:place].count(rank), 0)
        if ways:
            deals.append(dealt)
            weights.append(ways)
    return np.array(deals, np.uint8), np.array(weights) / sum(weights)


def reach(tree, policies, ranks, ending):
    """The probability that both policies play to *ending* with these cards."""
    cards = tree.game.cards
    probability = 1.0
    for node in tree.path(ending):
        parent = tree.nodes[tree.parents[node]]
        seat, bucket = int(parent["actor"]), int(ranks[parent["actor"]])
        if cards.board_street is not None and parent["street"] >= cards.board_street:
            bucket = bucket * cards.ranks + int(ranks[2])
        row = policies[seat].strategy(int(tree.parents[node]))[bucket]
        probability *= float(row[node - parent["first_child"]])
    return probability


class Rounded:
    """A policy as the kernels play it: in units of 1/65,535."""

    def __init__(self, policy):
        self.tree = policy.tree
        self._units = Contestant("", policy).rows()[1]

    def strategy(self, node):
        rows = self._units[self.tree.slots(node)].reshape(-1, self.tree.nodes["num_actions"][node])
        return rows / 65_535


def random_values(tree, exact_street, rng):
    """Tables of nonsense, in the shapes that an estimator wants."""
    ranks = tree.game.cards.ranks
    roots = aivat.street_roots(tree)
    streets = []
    for street in range(1, exact_street + 1):
        buckets = tree.bucket_counts[street] if street < tree.game.num_streets else 1
        groups = np.arange(buckets, dtype=np.uint16)
        number = len(roots.nodes[street]) if street < tree.game.num_streets else 0
        streets.append(
            (
                rng.normal(0, 5, (buckets * buckets, max(number, 1))).astype(np.float32),
                rng.random(buckets * buckets).astype(np.float32),
                (groups, groups),
            )
        )
    first = len(roots.nodes[1]) if tree.game.num_streets > 1 else 0
    return roots, rng.normal(0, 5, (ranks * ranks, max(first, 1))).astype(np.float32), streets


def nonsense_estimator(seats, exact_street):
    """An estimator whose values have no sense."""
    tree = seats[0].tree
    roots, preflop_values, streets = random_values(tree, exact_street, np.random.default_rng(3))
    rows = (seats[0].rows(), seats[1].rows())
    openings = aivat._openings(seats)
    return Estimator(
        Matchup(tree.nodes, tree.folded, tree.parents, roots.ends, rows),
        (seats[0].dealer(), seats[1].dealer()),
        exact_street=exact_street,
        root_numbers=roots.numbers,
        members=roots.members,
        first_members=roots.first_members,
        expectation=aivat._preflop_expectation(tree, roots, openings, rows, preflop_values),
        preflop_values=preflop_values,
        street_values=streets,
        num_flops=8,
    )


@pytest.mark.parametrize(
    ("game", "exact_street"),
    [(kuhn(), 1), (leduc(), 1), (ALL_IN_EARLY, 1), (THREE_STREETS, 1), (THREE_STREETS, 2)],
    ids=["kuhn", "leduc", "all-in-early", "three-streets", "three-streets-late"],
)
@pytest.mark.parametrize("nonsense", [True, False], ids=["nonsense", "learned"])
def test_the_mean_over_everything_is_the_exact_value(game, exact_street, nonsense):
    """Over all deals and actions, weighted; for any values whatever."""
    tree = tree_of(game)
    policies = [Rounded(random_policy(tree, seed)) for seed in (1, 2)]
    seats = tuple(Contestant(f"{seed}", random_policy(tree, seed)) for seed in (1, 2))
    if nonsense:
        estimator = nonsense_estimator(seats, exact_street)
    else:
        estimator = aivat.make_estimator(seats, seed=4, num_deals=500, exact_street=exact_street)

    endings = np.flatnonzero(tree.nodes["num_actions"] == 0).astype(np.int32)
    total = mean = square = 0.0
    for ranks, likely in zip(*all_deals(game), strict=True):
        weights = np.array([likely * reach(tree, policies, ranks, int(e)) for e in endings])
        values = np.empty(len(endings))
        estimator.estimate(
            0, np.zeros(len(endings), np.int64), np.tile(ranks, (len(endings), 1)), endings, values
        )
        total += weights.sum()
        mean += weights @ values
        square += weights @ values**2

    exact = PolicyEvaluator(tree).evaluate(BothSeats(policies)).values[0]
    assert total == pytest.approx(1, abs=1e-9)
    assert mean == pytest.approx(exact, abs=1e-6)
    if not nonsense:
        assert square - mean**2 < plain_variance(tree, policies, endings, game)


class Otherwise:
    """A policy that plays as another one from the second street on."""

    def __init__(self, policy, later):
        self.tree = policy.tree
        self._policies = policy, later

    def strategy(self, node):
        return self._policies[int(self.tree.nodes["street"][node] > 0)].strategy(node)


@pytest.mark.parametrize(
    ("game", "exact_street"),
    [(leduc(), 1), (THREE_STREETS, 1), (THREE_STREETS, 2)],
    ids=["leduc", "three-streets", "three-streets-late"],
)
@pytest.mark.parametrize("who", [(0,), (1,), (0, 1)], ids=str)
def test_decisions_made_by_other_probabilities_are_corrected(game, exact_street, who):
    """Seats *who* play something else than the estimator knows: the mean is that of the new play.

    Over all deals and actions, and for values without sense.
    """
    tree = tree_of(game)
    seats = tuple(Contestant(f"{seed}", random_policy(tree, seed)) for seed in (1, 2))
    estimator = nonsense_estimator(seats, exact_street)
    played = [Rounded(random_policy(tree, seed)) for seed in (1, 2)]
    for seat in who:
        played[seat] = Otherwise(played[seat], random_policy(tree, 7 + seat))

    endings = np.flatnonzero(tree.nodes["num_actions"] == 0).astype(np.int32)
    mean = plain = 0.0
    for ranks, likely in zip(*all_deals(game), strict=True):
        weights = np.array([likely * reach(tree, played, ranks, int(e)) for e in endings])
        values = np.empty(len(endings))
        estimator.estimate(
            0, np.zeros(len(endings), np.int64), np.tile(ranks, (len(endings), 1)), endings, values
        )
        plain += weights @ values
        added = [corrections(estimator, tree, played, who, ranks, int(e)) for e in endings]
        mean += weights @ (values + added)

    exact = PolicyEvaluator(tree).evaluate(BothSeats(played)).values[0]
    assert mean == pytest.approx(exact, abs=1e-6)
    assert plain != pytest.approx(exact, abs=1e-3)


def corrections(estimator, tree, played, who, ranks, ending):
    """What all decisions of seats *who* after the first street add on the way to *ending*."""
    added = 0.0
    for node in tree.parents[tree.path(ending)].tolist():
        record = tree.nodes[node]
        if record["street"] and record["actor"] in who:
            bucket = int(ranks[record["actor"]]) * tree.game.cards.ranks + int(ranks[2])
            chances = played[record["actor"]].strategy(node)[bucket].astype(np.float64)
            added += estimator.correction(ranks, node, chances)
    return added


def test_holdem_corrections_are_differences_of_exact_values():
    """On the river and the turn, worked out again from whole deals; none for the policy itself."""
    buckets = StripedBuckets(5, preflop_equities=preflop_equities())
    menu = BetMenu(streets=(("2.5x, a", "a"), ("50%, a", "a"), ("75%, a", "a"), ("a",)))
    tree = build_tree(GameConfig(stacks=(3_000,), menu=menu), buckets.num_buckets)
    seats = tuple(Contestant(f"{i}", random_policy(tree, i), buckets) for i in (1, 2))
    rows = (seats[0].rows(), seats[1].rows())
    roots = aivat.street_roots(tree)
    matchup = Matchup(tree.nodes, tree.folded, tree.parents, roots.ends, rows)
    estimator = aivat.make_estimator(seats, seed=4, num_deals=200)
    cards = np.array([51, 47, 3, 2, 20, 25, 30, 35, 40], np.uint8)
    rng = np.random.default_rng(5)
    for path in ("c x / x x / x x /", "c x / b100 c / x b300", "r250 c / x b250", "c x / x"):
        node = tree.find(path)
        record = tree.nodes[node]
        street, seat, first = (int(record[name]) for name in ("street", "actor", "first_child"))
        rivers = {3: [cards[8]], 2: np.delete(np.arange(52), cards[:8])}.get(street, [])
        deals = holdem_deals(buckets, cards, rivers)
        children = np.arange(first, first + int(record["num_actions"]), dtype=np.int32)
        values = np.empty((len(deals), len(children)), np.float32)
        matchup.expected(deals, children, values)
        bucket = buckets.tables[street][index_of(cards, seat, 2 + street)]
        row = Rounded(seats[seat].policy).strategy(node)[bucket]
        assert estimator.correction(cards, node, row) == pytest.approx(0, abs=1e-9)
        other = rng.dirichlet(np.ones(len(children)))
        found = estimator.correction(cards, node, other)
        if len(deals):
            expected = values.astype(np.float64).mean(axis=0) @ (other - row)
            assert found == pytest.approx(expected, abs=1e-3)
        assert abs(found) > 0.1
    for wrong, chances in ((0, row), (tree.num_nodes - 1, row), (node, np.ones(9))):
        with pytest.raises(ValueError, match="a decision after the first street"):
            estimator.correction(cards, wrong, chances)


def index_of(cards, seat, num_board):
    hand = [*cards[2 * seat : 2 * seat + 2], *cards[4 : 4 + num_board]]
    return indexer.index(np.array([hand], np.uint8))[0]


def holdem_deals(buckets, cards, rivers):
    """What kernels see of *cards* with each of these river cards."""
    deals = np.zeros(len(rivers), DEAL_DTYPE)
    for deal, river in zip(deals, rivers, strict=True):
        full = np.array([*cards[:8], river], np.uint8)
        hands = np.array([[*full[2 * seat : 2 * seat + 2], *full[4:]] for seat in range(2)])
        mine, theirs = evaluate(hands.astype(np.uint8))
        deal["share"] = 0.5 + 0.5 * np.sign(int(mine) - int(theirs))
        for seat in range(2):
            deal["bucket"][:, seat] = [0] + [
                buckets.tables[street][index_of(full, seat, 2 + street)] for street in (1, 2, 3)
            ]
    return deals


def test_holdem_agrees_with_the_plain_mean():
    """Random policies, buckets without sense: the difference is within its own interval.

    Whatever the values are worth, all-in pots are settled by their equity, so less luck is left.
    """
    buckets = StripedBuckets(5, preflop_equities=preflop_equities())
    menu = BetMenu(streets=(("2.5x, a", "a"), ("50%, a", "a"), ("75%, a", "a"), ("a",)))
    tree = build_tree(GameConfig(stacks=(3_000,), menu=menu), buckets.num_buckets)
    first = Contestant("first", random_policy(tree, 1), buckets)
    second = Contestant("second", random_policy(tree, 2), buckets)
    seen = []
    Match(first, second, seed=6).play(30_000, seen.append)

    for seat in (0, 1):
        chips = np.concatenate([h.chips[:, seat] for h in seen if h.seat == seat])
        values = np.concatenate([h.values for h in seen if h.seat == seat])
        apart = chips - values
        assert abs(apart.mean()) < 3 * apart.std() / len(apart) ** 0.5
        assert values.std() < 0.7 * chips.std()


def test_push_fold_leaves_no_luck(tmp_path):
    """All cards to come are in the equities: every hand is estimated at the exact value."""
    equities = preflop_equities()
    buckets = StripedBuckets(1, 1, equities)
    tree = build_tree(push_fold(8), (169,))
    policies = [random_policy(tree, seed) for seed in (1, 2)]
    exact = PolicyEvaluator(tree, preflop_equities=equities).evaluate(
        BothSeats([Rounded(policy) for policy in policies])
    )
    first, second = (Contestant(f"{i}", policy, buckets) for i, policy in enumerate(policies))

    result = Match(first, second).play(4_000)

    seat = result.aivat.positions[0]
    assert seat.mean == pytest.approx(exact.values[0] * 10, abs=1e-6)
    assert seat.sd == pytest.approx(0, abs=1e-6)
    assert result.plain.positions[0].mean == pytest.approx(
        exact.values[0] * 10, abs=2 * result.plain.positions[0].error
    )


def test_streets_of_a_tree():
    """Every node but the root is a member of one street's betting, every root of two."""
    tree = build_tree(GameConfig(), (169, 2, 2, 2))
    roots = aivat.street_roots(tree)
    counts = np.bincount(roots.members, minlength=tree.num_nodes)
    is_root = roots.numbers >= 0
    assert (counts == np.where(is_root, 2, 1) - (np.arange(tree.num_nodes) == 0)).all()
    for street, nodes in enumerate(roots.nodes):
        for node in nodes[:: max(len(nodes) // 7, 1)].tolist():
            members = roots.members[roots.first_members[node] : roots.first_members[node + 1]]
            assert members[-1] == node
            inner = [n for n in members.tolist() if tree.nodes["street"][n] == street]
            inner = [n for n in inner if tree.nodes["num_actions"][n]]
            children = {child for n in inner for child in tree.children(n)}
            assert children | {node} == set(members.tolist())
    for node in range(0, tree.num_nodes, 97):
        last = node
        while tree.nodes["num_actions"][last]:
            last = max(
                (tree.children(last)[-1], *deepest(tree, last)), default=tree.children(last)[-1]
            )
        assert roots.ends[node] == last + 1


def deepest(tree, node):
    """The last child with children, if any."""
    return [child for child in tree.children(node) if tree.nodes["num_actions"][child]][-1:]


class BothSeats:
    """Seat 0 plays the first policy, seat 1 the second."""

    def __init__(self, policies):
        self.tree = policies[0].tree
        self._policies = policies

    def strategy(self, node):
        return self._policies[int(self.tree.nodes["actor"][node])].strategy(node)


def plain_variance(tree, policies, endings, game):
    """Of what hands bring."""
    mean = square = 0.0
    for ranks, likely in zip(*all_deals(game), strict=True):
        for ending in endings:
            weight = likely * reach(tree, policies, ranks, int(ending))
            chips = payoff(tree, int(ending), ranks)
            mean += weight * chips
            square += weight * chips**2
    return square - mean**2


def payoff(tree, ending, ranks):
    """Chips of seat 0 at *ending*."""
    record = tree.nodes[ending]
    half = record["pot"] / 2
    if record["ending"] == Ending.FOLD:
        return -half if tree.folded[record["ending_index"]] & 1 else half
    strength = [
        int(rank) + tree.game.cards.ranks * int(len(ranks) > 2 and rank == ranks[2])
        for rank in ranks[:2]
    ]
    return half * np.sign(strength[0] - strength[1])
