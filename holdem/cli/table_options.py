"""What the commands at a table share: their options, and what these name."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from holdem.cli.table_display import TableDisplay
from holdem.cli.terminal import Parser, option_value
from holdem.errors import ConfigError
from holdem.game.policy import Policy
from holdem.mccfr.blueprint import Blueprint
from holdem.play.agent import Agent, load_policy
from holdem.play.client import Client
from holdem.play.profile import DEFAULT_PROFILE, read_profile
from holdem.play.session import Limits
from holdem.search.continuations import ContinuationValues, continuations_path
from holdem.storage import LineFile
from holdem.types import (
    DEALER_RULES,
    PROFILE_RULES,
    SEARCH_RULES,
    DealerConfig,
    GameConfig,
    SearchConfig,
    TableProfile,
    shell_word,
)

DEALER_OPTIONS = {
    "--hands": ("hands", "N", "hands of the match"),
    "--seed": ("seed", "N", "of the cards"),
    "--host": ("host", "ADDRESS", "to listen on; 0.0.0.0 is reached from other machines"),
    "--time-per-action": ("action_seconds", "SECONDS", "then the dealer checks or folds"),
    "--join-seconds": ("join_seconds", "SECONDS", "how long to wait for all players"),
    "--most-illegal": (
        "most_illegal",
        "N",
        "illegal answers of a player; with one more it is out",
    ),
    "--most-timeouts": ("most_timeouts", "N", "actions too late, likewise"),
}
"""Options that are fields of `DealerConfig`: field, what follows the option, what it means."""


def add_dealer_options(parser: Parser | argparse._ArgumentGroup, names: Iterable[str]) -> None:
    """Add the options of a dealer that are called so."""
    defaults = DealerConfig()
    for option in names:
        field, metavar, text = DEALER_OPTIONS[option]
        default = getattr(defaults, field)
        shown = f"{default:g}" if isinstance(default, float) else default
        parser.add_argument(option, dest=field, metavar=metavar, help=f"{text} ({shown})")


def dealer_values(options: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Return the fields of `DealerConfig` that these options give.

    Raises:
        ConfigError: a value cannot be used.
    """
    return {
        field: option_value(option, value, DEALER_RULES[field])
        for option in names
        if (value := getattr(options, (field := DEALER_OPTIONS[option][0]))) is not None
    }


def add_table_options(parser: Parser) -> None:
    """Add the options that dry-run and autoplay share."""
    parser.add_argument(
        "--profile",
        type=Path,
        default=DEFAULT_PROFILE,
        metavar="FILE",
        help=f"where the table is ({DEFAULT_PROFILE})",
    )
    parser.add_argument("--policy", type=Path, required=True, metavar="PATH", help="what plays")
    parser.add_argument(
        "--buckets", type=Path, metavar="PATH", help="its buckets (those that the policy names)"
    )
    parser.add_argument("--seed", type=int, default=42, metavar="N", help="of its choices (42)")
    parser.add_argument("--max-hands", metavar="N", help="leave after so many (the profile's)")
    parser.add_argument(
        "--stop-loss", metavar="BB", help="leave once so many big blinds are lost (the profile's)"
    )
    add_search_options(parser)


def add_search_options(parser: Parser, seats: Sequence[str] = ()) -> None:
    """Add the options of real-time search; with *seats*, ``--search`` says which of them do."""
    group = parser.add_argument_group(
        "search", "Decisions after the flop are thought again while they are made."
    )
    default = SearchConfig()
    if seats:
        group.add_argument("--search", choices=seats, help="who searches (nobody)")
    else:
        group.add_argument(
            "--search",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="or only look the policy up",
        )
    group.add_argument(
        "--time-budget-ms",
        metavar="MS",
        help=f"for a decision ({default.time_budget_ms:g})",
    )
    group.add_argument(
        "--min-iters",
        metavar="N",
        help=f"iterations that are done even if they take longer ({default.min_iterations})",
    )
    group.add_argument(
        "--num-workers", metavar="N", help=f"threads; 0 for all cores ({default.num_workers})"
    )
    group.add_argument(
        "--depth",
        choices=SEARCH_RULES["depth"].choices,
        help="solve to the end of the street, of the hand, or what time allows (auto)",
    )
    group.add_argument(
        "--search-menu",
        metavar="SIZES",
        help="bets / raises, as in '33%%, 75%%, a / 75%%, a' (those of the policy)",
    )
    group.add_argument(
        "--safety",
        choices=SEARCH_RULES["safety"].choices,
        help="what the opponent may fall back on; all but unsafe search rivers only "
        f"({default.safety})",
    )


_SEARCH_OPTIONS = {
    "--time-budget-ms": "time_budget_ms",
    "--min-iters": "min_iterations",
    "--num-workers": "num_workers",
    "--depth": "depth",
    "--search-menu": "menu",
    "--safety": "safety",
}


def search_of(options: argparse.Namespace) -> SearchConfig | None:
    """Return the search that the options ask for; None for none.

    Raises:
        ConfigError: a value cannot be used, or nobody searches.
    """
    given = {
        option: option_value(option, value, SEARCH_RULES[field])
        for option, field in _SEARCH_OPTIONS.items()
        if (value := getattr(options, option[2:].replace("-", "_"))) is not None
    }
    if given and not options.search:
        raise _nobody_searches(next(iter(given)), named=options.search is None)
    safety = given.get("--safety", "unsafe")
    if "--depth" in given and safety != "unsafe":
        raise ConfigError(
            f"--safety {safety} searches rivers only, which --depth says nothing about",
            "leave one of them out",
        )
    config = SearchConfig(**{_SEARCH_OPTIONS[option]: value for option, value in given.items()})
    return config if options.search else None


def _nobody_searches(option: str, *, named: bool) -> ConfigError:
    """Say that *option* steers a search that is not made, where ``--search`` has names or not."""
    if not named:
        return ConfigError(f"{option} is for search, and --no-search is given", "leave one out")
    remedy = "say who searches, as in --search first"
    if option == "--num-workers":
        remedy += "; a match between policies takes its threads from --workers"
    return ConfigError(f"{option} is for search, and nobody searches without --search", remedy)


def profile_of(options: argparse.Namespace) -> TableProfile:
    """Return the profile, with the options that beat it."""
    given: dict[str, Any] = {
        name: option_value(option, value, PROFILE_RULES[name])
        for option, name in (("--max-hands", "max_hands"), ("--stop-loss", "stop_loss"))
        if (value := getattr(options, name)) is not None
    }
    return dataclasses.replace(read_profile(options.profile), **given)


def agent_of(
    options: argparse.Namespace,
    game: GameConfig | None,
    search: SearchConfig | None,
    say: Callable[[str], None],
    *,
    seed: int,
) -> Agent:
    """Return the agent that the options name.

    Args:
        options: with the policy and its buckets.
        game: what is played; by default the policy's own.
        search: how it thinks again.
        say: is told what the search lacks.
        seed: of its choices.
    """
    policy, bucketing = load_policy(options.policy, options.buckets)
    return Agent(
        policy,
        bucketing,
        game or policy.tree.game,
        seed=seed,
        search=search,
        continuations=continuations_of(options.policy, policy, search, say),
    )


def continuations_of(
    path: Path, policy: Policy, search: SearchConfig | None, say: Callable[[str], None]
) -> ContinuationValues | None:
    """Return what lies beside the policy at *path* for its search, or None and say what is not."""
    if search is None or search.depth == "end" or not isinstance(policy, Blueprint):
        return None
    beside = continuations_path(path)
    if beside.exists():
        return ContinuationValues.load(beside, policy)
    if policy.tree.game.num_players == 2:
        say(
            f"{beside} is not there: flop and turn are seldom searched in time without; "
            f"make it with: holdem continuations {shell_word(path)}"
        )
    return None


@contextlib.contextmanager
def decision_log(
    profile: TableProfile, options: argparse.Namespace, search: SearchConfig | None
) -> Iterator[LineFile | None]:
    """Open the profile's decision log, if it has one, and write down what decides."""
    if profile.decision_log is None:
        yield None
        return
    with LineFile(profile.decision_log) as file:
        session = {
            "session": datetime.now().isoformat(timespec="seconds"),
            "policy": str(options.policy),
            "seed": options.seed,
            "search": None if search is None else dataclasses.asdict(search),
            "profile": dataclasses.asdict(profile),
        }
        file.write(json.dumps(session))
        yield file


def client_of(profile: TableProfile, display: TableDisplay) -> Client:
    """Return a connection to the profile's table."""
    return Client(
        profile.host,
        profile.port,
        patience=profile.reconnect_seconds,
        silence=profile.silence_seconds,
        say=display.say,
    )


def limits_of(profile: TableProfile) -> Limits:
    """Return when to leave the profile's table."""
    return Limits(
        max_hands=profile.max_hands, max_seconds=profile.max_seconds, stop_loss=profile.stop_loss
    )
