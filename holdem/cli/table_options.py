"""What the commands at a table share: their options, and what these name."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from holdem.cli.table_display import TableDisplay
from holdem.cli.terminal import Parser, option_value
from holdem.play.agent import Agent, load_policy
from holdem.play.client import Client
from holdem.play.game_definition import Table
from holdem.play.profile import DEFAULT_PROFILE, read_profile
from holdem.play.session import Limits
from holdem.storage import LineFile
from holdem.types import PROFILE_RULES, TableProfile


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


def profile_of(options: argparse.Namespace) -> TableProfile:
    """Return the profile, with the options that beat it."""
    given: dict[str, Any] = {
        name: option_value(option, value, PROFILE_RULES[name])
        for option, name in (("--max-hands", "max_hands"), ("--stop-loss", "stop_loss"))
        if (value := getattr(options, name)) is not None
    }
    return dataclasses.replace(read_profile(options.profile), **given)


def agent_of(options: argparse.Namespace, table: Table) -> Agent:
    """Return the agent that the options name."""
    return Agent(*load_policy(options.policy, options.buckets), table.game, seed=options.seed)


@contextlib.contextmanager
def decision_log(profile: TableProfile, options: argparse.Namespace) -> Iterator[LineFile | None]:
    """Open the profile's decision log, if it has one, and write down what decides."""
    if profile.decision_log is None:
        yield None
        return
    with LineFile(profile.decision_log) as file:
        session = {
            "session": datetime.now().isoformat(timespec="seconds"),
            "policy": str(options.policy),
            "seed": options.seed,
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
