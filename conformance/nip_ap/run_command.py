"""`nip-ap run` as a command: the option table as click's options, and an order made from them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from nip_ap.model.configuration import configuration_in, merged
from nip_ap.model.delivery import Delivery
from nip_ap.model.option_table import option_table
from nip_ap.model.options import Option, filled
from nip_ap.model.profile import BUZZ
from nip_ap.model.settings import Settings
from nip_ap.model.target_options import OPTIONS as TARGET_OPTIONS

if TYPE_CHECKING:
    from nip_ap.certificate.issuing import Issuer
    from nip_ap.certificate.listener import CertificateListener
    from nip_ap.model.events import Listener
    from nip_ap.reporting.listeners import JsonListener, TerminalListener


class _Value(click.ParamType):  # type: ignore[type-arg]
    """A value as the option reads it."""

    def __init__(self, option: Option) -> None:
        self.name = option.metavar
        self._option = option

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; a usage error with the option's own sentence."""
        if not isinstance(value, str):
            return value
        try:
            return self._option.value(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """The choices, where there are some."""
        choices = self._option.choices
        return f"[{'|'.join(choices)}]" if choices else self._option.metavar


def parameters(table: Iterable[Option]) -> list[click.Parameter]:
    """The options as click has them."""
    return [_parameter(one) for one in table]


def option_value(key: str) -> click.ParamType:  # type: ignore[type-arg]
    """How `nip-ap run` reads one of its options, for a command that has it too."""
    return _Value(next(one for one in option_table() if one.key == key))


def _parameter(one: Option) -> click.Parameter:
    if one.positional:
        return click.Argument(
            [one.key],
            type=_Value(one),
            required=False,
            metavar=f"[{one.metavar}]",
            envvar=_variable(one),
        )
    names = [*([one.short] if one.short else []), f"--{one.name}", one.key]
    if one.flag:
        return click.Option(names, is_flag=True, help=one.explained, envvar=_variable(one))
    return click.Option(
        names, type=_Value(one), multiple=one.many, help=one.explained, envvar=_variable(one)
    )


def _variable(one: Option) -> str:
    """The variable of the environment that gives an option; several values by spaces."""
    return f"NIP_AP_RUN_{one.name.upper().replace('-', '_')}"


def run(**given: Any) -> int:
    """Test the relay at URL, one that is started with --cmd, --image or --compose, or the bundled.

    Exit codes: 0 conformant, or known failures alone (--baseline); 1 not conformant, or the
    baseline is outdated; 2 inconclusive; 3 unreachable; 4 usage; 70 the suite itself failed.

    Each option may also come from a variable NIP_AP_RUN_NAME, and from nip-ap.toml or [tool.nip-ap]
    of pyproject.toml in this folder.
    """
    from nip_ap.engine.keys import baseline_at
    from nip_ap.engine.likeness import held_to
    from nip_ap.engine.own_scenarios import own_scenarios
    from nip_ap.engine.preparation import recipe_for
    from nip_ap.engine.runner import Order, run_suite
    from nip_ap.model.seed import salted
    from nip_ap.model.verdict import EXIT_CODES, RunVerdict
    from nip_ap.reporting.listeners import TerminalListener
    from nip_ap.reporting.printing import say

    configuration = configuration_in(Path.cwd(), option_table())
    given = merged(given, configuration)
    delivery = filled(Delivery, given)
    if delivery.verbose and delivery.quiet:
        raise click.UsageError("--verbose and --quiet: choose one")
    if delivery.color != "auto":
        click.get_current_context().color = delivery.color == "always"
    if delivery.allure is not None and find_spec("allure_commons") is None:
        raise click.UsageError(
            "--alluredir needs the extra allure: pip install 'nip-ap-conformance[allure]'"
        )
    settings = filled(
        Settings,
        given,
        seed=salted(given["seed"]),
        keep_all_frames=delivery.certify is not None,
    )
    settings = held_to(settings, delivery.like)
    if delivery.as_json and settings.scenarios:
        raise click.UsageError(
            "--json and --scenarios: there are two reports; --out DIR has DIR/report.json, and "
            "DIR/own/report.json of your own checks"
        )
    _check_folders(delivery)
    issuer = _issuer(delivery, settings)
    known = baseline_at(delivery.baseline, own_scenarios(settings.scenarios).known)
    recipe = recipe_for({one.key: given[one.key] for one in TARGET_OPTIONS}, settings)
    if configuration.file and not (delivery.as_json or delivery.quiet):
        told = ", ".join(one.name for one in option_table() if one.key in configuration.values)
        say(f"options of {configuration.file}: {told}")
    shown = _shown(delivery, sys.stdout)
    listeners: list[Listener] = [shown, *_written(delivery, sys.stdout)]
    certificates = _certificates(delivery, issuer)
    if certificates is not None:
        listeners.append(certificates)
    try:
        code = run_suite(Order(settings, recipe, delivery, known), listeners)
    finally:
        if isinstance(shown, TerminalListener):
            shown.close()
    if certificates is not None and certificates.was_refused:
        return code or EXIT_CODES[RunVerdict.INCONCLUSIVE]
    return code


def _shown(delivery: Delivery, stream: IO[str]) -> TerminalListener | JsonListener:
    """What prints the run."""
    from nip_ap.reporting.listeners import JsonListener, TerminalListener
    from nip_ap.reporting.terminal import Detail

    if delivery.as_json:
        return JsonListener(stream)
    if delivery.quiet:
        return TerminalListener(stream, Detail.QUIET)
    return TerminalListener(stream, Detail.FULL if delivery.verbose else Detail.NORMAL)


def _written(delivery: Delivery, stream: IO[str]) -> list[Listener]:
    """What writes files of the run."""
    from nip_ap.reporting.listeners import AllureListener, FilesListener
    from nip_ap.reporting.timings import TimingsListener

    found: list[Listener] = []
    if delivery.out is not None:
        found.append(FilesListener(delivery.out, None if delivery.as_json else stream))
    if delivery.allure is not None:
        found.append(AllureListener(delivery.allure))
    if delivery.timings:
        found.append(TimingsListener(sys.stderr))
    return found


def _certificates(delivery: Delivery, issuer: Issuer | None) -> CertificateListener | None:
    """What signs the run. It reads the transcripts, so it comes after what writes them."""
    if issuer is None:
        return None
    from nip_ap.certificate.listener import CertificateListener

    assert delivery.out is not None, "refused before the run"
    return CertificateListener(issuer, delivery.out, sys.stderr if delivery.as_json else sys.stdout)


def _check_folders(delivery: Delivery) -> None:
    """A run takes its time: say before it what could only be said after it."""
    for name, folder in (("--out", delivery.out), ("--alluredir", delivery.allure)):
        if folder is None:
            continue
        nearest = next(one for one in (folder, *folder.absolute().parents) if one.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise click.UsageError(f"{name} {folder}: nothing can be written into {nearest}")


def _issuer(delivery: Delivery, settings: Settings) -> Issuer | None:
    """Who signs, once it is clear that a whole run will be there to sign."""
    from nip_ap.certificate.issuing import Issuer, issuer_key

    if delivery.certify is None:
        if delivery.publish:
            raise click.UsageError(
                "--publish is only valid with --certify KEYFILE: it publishes a certificate"
            )
        return None
    complaints = {
        "--certify and --baseline: a certificate excuses nothing": delivery.baseline is not None,
        "--certify needs --out DIR: a certificate stands on its transcripts": delivery.out is None,
        "--certify and --only: a filtered run cannot be certified": bool(settings.only),
        "--certify and --profile: a certificate is of all rules": settings.profile != BUZZ,
        "--certify and --scenarios: a certificate is of NIP-AP alone": bool(settings.scenarios),
        "--certify and --replay: a part of a run cannot be certified": bool(settings.replay),
        "--certify and --repeat: a certificate shows the one transcript of each check": (
            settings.repeat > 1
        ),
    }
    for complaint, holds in complaints.items():
        if holds:
            raise click.UsageError(complaint)
    return Issuer(issuer_key(delivery.certify), delivery.publish)


run_command = click.Command(
    "run", callback=run, params=parameters(option_table()), help=run.__doc__
)
