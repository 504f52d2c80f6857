"""What `holdem eval` says of the worst opponent: local best response and best response."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from holdem import storage
from holdem.cli.matches import number
from holdem.cli.terminal import Parser, StageBars, duration, signals_raise
from holdem.errors import ConfigError, MismatchError, ResourceError, StorageError
from holdem.evaluation.best_response import (
    FORMS,
    Form,
    ResponseProgress,
    best_response,
    definitions,
    require_sums_of,
)
from holdem.evaluation.contestants import Contestant
from holdem.evaluation.decks import FLOPS
from holdem.evaluation.exploitability import PolicyEvaluator
from holdem.evaluation.lbr import ROUNDS, LbrResult, LocalBestResponse
from holdem.evaluation.lbr_betting import SETTINGS
from holdem.game.games import position_names
from holdem.mccfr.blueprint import Blueprint

_RESPONSE_SECONDS = 300
_LBR_HANDS = 10_000
_LBR_ROUNDS = "1-4"
_LBR_OPTIONS = ("--lbr-rounds", "--lbr-hands")
_LIMITS = ("--response-seconds", "--response-flops")
_FOLDER_ENDING = ".best-response"


def add_options(parser: Parser) -> None:
    """Add the options of this part."""
    parser.add_argument(
        "--lbr",
        nargs="?",
        const="fcpa",
        choices=list(SETTINGS),
        metavar="BETS",
        help=f"local best response: {', '.join(SETTINGS)} (fcpa)",
    )
    parser.add_argument(
        "--lbr-rounds",
        choices=list(ROUNDS),
        metavar="ROUNDS",
        help=f"those it responds on: {', '.join(ROUNDS)} ({_LBR_ROUNDS})",
    )
    parser.add_argument("--lbr-hands", metavar="N", help=f"hands it plays ({_LBR_HANDS:,})")
    parser.add_argument(
        "--best-response",
        choices=list(FORMS),
        metavar="FORM",
        help="exact, or a part: " + ", ".join(FORMS),
    )
    parser.add_argument(
        "--response-seconds",
        metavar="SECONDS",
        help=f"what a best response that is not exact may take ({_RESPONSE_SECONDS})",
    )
    parser.add_argument(
        "--response-flops",
        metavar="N",
        help="draw N flops however long it takes, to repeat one; instead of --response-seconds",
    )
    parser.add_argument(
        "--response-folder",
        type=Path,
        metavar="PATH",
        help="where an exact best response keeps what is done (beside the policy, its name and "
        f"{_FOLDER_ENDING})",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Responses:
    """What the options ask for, checked before the first hand of a match is played.

    Attributes:
        lbr: responds locally; None if that is not wanted.
        lbr_hands: that it plays.
        form: of the best response, likewise.
        seconds, flops: how many flops one that is not exact draws, the one or the other.
        folder: where one that deals all boards keeps its sums; None for the others.
        small: works out that of a small game; None for the others.
    """

    lbr: LocalBestResponse | None
    lbr_hands: int
    form: Form | None
    seconds: int | None
    flops: int | None
    folder: Path | None
    small: PolicyEvaluator | None

    @classmethod
    def of(cls, options: argparse.Namespace, player: Contestant) -> Responses:
        """Read and check the options of this part.

        Raises:
            ConfigError: one cannot be used, is for what is not asked for, or *player* is of a
                game that has no such response.
            ResourceError: *player*'s game has too many deals for one.
            StorageError: sums cannot be kept where they should be.
            MismatchError: those of another strategy lie there.
        """
        _refuse_unused(options, player)
        lbr = None
        if options.lbr is not None:
            rounds = options.lbr_rounds or _LBR_ROUNDS
            lbr = LocalBestResponse(
                player.tree, player.bucketing, setting=options.lbr, rounds=rounds
            )
        seconds, flops = _limits(options)
        hands = options.lbr_hands
        form, small = options.best_response, _is_small(player)
        return cls(
            lbr=lbr,
            lbr_hands=_LBR_HANDS if hands is None else number("--lbr-hands", hands, 1, 10**9),
            form=form,
            seconds=seconds,
            flops=flops,
            folder=None if small or form != "exact" else _folder(options, player),
            small=_evaluator(player) if small and form is not None else None,
        )

    def judge(
        self, console: Console, player: Contestant, workers: int, seed: int
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Run them one after the other, print what came out, and yield its name and it for JSON."""
        if self.lbr is not None:
            hands = self.lbr_hands
            with signals_raise(""):
                result = self.lbr.against(player.policy, hands=hands, seed=seed, workers=workers)
            yield "lbr", _local(console, result)
        if self.small is not None:
            yield "best_response", _small(console, player, self.small)
        elif self.form is not None:
            yield "best_response", _full(console, player, self, workers, seed)


def _refuse_unused(options: argparse.Namespace, player: Contestant) -> None:
    """Refuse options of a response that is not asked for, or that *player*'s game does not have."""
    lbr, form = _given(options, _LBR_OPTIONS), options.best_response
    limits, game = _given(options, _LIMITS), player.tree.game
    small = _is_small(player)
    if options.response_folder is not None and (small or form != "exact"):
        raise ConfigError(
            "--response-folder is where an exact best response over the real cards keeps what is "
            "done, and there is none",
            "leave it out" if small else "add --best-response exact, or leave it out",
        )
    if lbr and options.lbr is None:
        raise ConfigError(f"{lbr[0]} is for local best response, without --lbr", "add --lbr")
    if options.lbr_hands is not None and game.cards.kind == "one-card":
        raise ConfigError(
            f"--lbr-hands is for hold'em; of {game.name!r} local best response plays every hand",
            "leave it out",
        )
    if form is None:
        if limits:
            raise ConfigError(
                f"{limits[0]} is for a best response, without --best-response",
                "add --best-response sampled",
            )
    elif not small:
        if game.num_players != 2:
            raise ConfigError(
                f"a best response needs two players, not {game.num_players}",
                "judge it in matches, without --best-response",
            )
        if form == "exact" and limits:
            raise ConfigError(
                f"{limits[0]}, and an exact best response deals all boards",
                "leave it out, or choose --best-response sampled",
            )
    elif form != "exact":
        raise ConfigError(
            f"--best-response {form} of {game.name!r}, which is small enough for the exact one",
            "--best-response exact",
        )
    elif limits:
        raise ConfigError(
            f"{limits[0]} is for games that are too large to solve, and {game.name!r} is not",
            "leave it out: the exact best response takes no time",
        )


def _given(options: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Return those of the options called *names* that were given."""
    return [name for name in names if getattr(options, name[2:].replace("-", "_")) is not None]


def _limits(options: argparse.Namespace) -> tuple[int | None, int | None]:
    """Return the seconds that a best response has, or the flops that it draws; or neither."""
    seconds, flops = options.response_seconds, options.response_flops
    if seconds is not None and flops is not None:
        raise ConfigError(
            "--response-seconds and --response-flops both say how many flops are drawn",
            "give one of them",
        )
    if flops is not None:
        return None, number("--response-flops", flops, 2, FLOPS)
    if options.best_response in (None, "exact"):
        return None, None
    if seconds is None:
        return _RESPONSE_SECONDS, None
    return number("--response-seconds", seconds, 1, 10**7), None


def _folder(options: argparse.Namespace, player: Contestant) -> Path:
    """Return where an exact best response keeps its sums.

    Raises:
        StorageError: nothing can be written there.
        MismatchError: the sums of another strategy lie there.
    """
    # Beside the policy, whose folder is its own.
    folder: Path = options.response_folder or storage.beside(player.name, _FOLDER_ENDING)
    assert player.bucketing is not None  # it plays hold'em
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    try:
        storage.make_folder(there)
        require_sums_of(player.policy, player.bucketing, folder, own_values=False)
    except MismatchError as error:
        remedy = f"--response-folder PATH for another place, or remove {folder} to start over"
        raise MismatchError(str(error), remedy) from error
    except StorageError as error:
        raise StorageError(
            f"an exact best response keeps what is done in {folder}: {error}",
            "--response-folder PATH for another place",
        ) from error
    return folder


def _evaluator(player: Contestant) -> PolicyEvaluator:
    """Return what works out the best response in a game that can be enumerated."""
    policy, buckets = player.policy, player.bucketing
    try:
        return PolicyEvaluator(
            player.tree,
            preflop_equities=buckets.preflop_equities if buckets else None,
            preflop_buckets=policy.preflop_buckets if isinstance(policy, Blueprint) else None,
        )
    except ResourceError as error:
        raise ResourceError(str(error), "judge it in matches, without --best-response") from error


def _local(console: Console, result: LbrResult) -> dict[str, Any]:
    """Local best response."""
    parts = ", ".join(
        f"{value:+,.1f} +-{half:,.1f} from the {name}"
        for name, value, half in zip(
            position_names(2), result.by_seat, result.seat_intervals, strict=True
        )
    )
    console.print()
    console.print("Local best response", style="bold")
    console.print(
        f"  it wins {result.mbb_per_hand:+,.1f} +-{result.interval:,.1f} mbb/hand ({parts})\n"
        f"  {result.hands:,} hands, bets {result.setting}, rounds {result.rounds}; "
        "the worst opponent wins as much or more\n"
        "  where its bets are not in the policy's tree, they are taken for those that are; a best "
        "response bets only what is",
        soft_wrap=True,
    )
    return dataclasses.asdict(result)


def _is_small(player: Contestant) -> bool:
    """Whether every deal can be enumerated."""
    game = player.tree.game
    return game.cards.kind == "one-card" or (game.num_streets == 1 and game.num_players == 2)


def _small(console: Console, player: Contestant, evaluator: PolicyEvaluator) -> dict[str, Any]:
    """The exact best response in a game that can be enumerated."""
    with signals_raise(""):
        value = evaluator.evaluate(player.policy)
    unit = 1000 / player.tree.game.big_blind
    figures = {
        "form": "exact",
        "values": [one * unit for one in value.values],
        "best_responses": [one * unit for one in value.best_responses],
        "nash_conv": value.nash_conv * unit,
        "exploitability": value.exploitability * unit,
        "definitions": definitions(player.tree.game.num_players),
    }
    console.print()
    console.print("Best response, exact", style="bold")
    console.print(
        f"  exploitability {figures['exploitability']:,.2f} mbb/hand, "
        f"NashConv {figures['nash_conv']:,.2f}"
    )
    return figures


def _full(
    console: Console, player: Contestant, wanted: Responses, workers: int, seed: int
) -> dict[str, Any]:
    """The best response over the real cards."""
    assert wanted.form is not None
    assert player.bucketing is not None  # it plays hold'em
    form, seconds, folder = wanted.form, wanted.seconds, wanted.folder
    exact = form == "exact"
    console.print()
    console.print(f"Best response: {FORMS[form]}", style="bold")
    advice = "--response-seconds N to take less time"
    if exact:
        advice = f"the same command again: what is done is kept in {folder} every half a minute"
    bars = StageBars(console)
    done_before: int | None = None

    def progress(now: ResponseProgress) -> None:
        nonlocal done_before
        if done_before is None:
            about = "about " if seconds else ""
            done = f", {now.done:,} of them done before" if now.done else ""
            console.print(f"  {about}{now.total:,} flops{done}, about {duration(now.seconds_left)}")
            done_before = now.done
            bars.stage("flops", now.total - done_before)
        bars.reach(now.done - done_before, now.total - done_before)

    with signals_raise(advice), bars:
        result = best_response(
            player.policy,
            player.bucketing,
            form=form,
            budget_seconds=seconds,
            flops=wanted.flops,
            workers=workers,
            seed=seed,
            progress=progress,
            resume_folder=folder,
            own_values=not exact,
        )
    each = ", ".join(
        f"{name} {value:+,.1f}"
        for name, value in zip(position_names(2), result.best_responses, strict=True)
    )
    lower = ""
    if form == "sampled":
        lower = f", {result.lower_nash_conv / 2:,.1f} by choices made on other flops"
    console.print(
        f"  exploitability {result.exploitability:,.1f} +-{result.interval / 2:,.1f} mbb/hand"
        f"{lower}\n  NashConv {result.nash_conv:,.1f}; the best responses win: {each}\n"
        f"  {result.bias}; {result.flops:,} flops, {result.river_boards:,} river boards, "
        f"{duration(result.seconds)}",
        soft_wrap=True,
    )
    console.print(f"  {result.definitions}", style="dim", soft_wrap=True)
    figures = dataclasses.asdict(result)
    # How long it took is no result, and would make equal results different files.
    del figures["seconds"], figures["workers"]
    return {**figures, "nash_conv": result.nash_conv, "exploitability": result.exploitability}
