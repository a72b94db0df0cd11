"""`boussole doctor`: is everything here ready to answer; what to do where not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ui.options import index_option, json_option

if TYPE_CHECKING:
    from rag.settings import Settings

OLDEST_PYTHON = (3, 11)
FREE_BYTES = 2 * 2**30  # an index of ten thousand pages beside the one that answers
LOW_BYTES = 200 * 2**20
LLM_SECONDS = 3.0
State = Literal["ok", "warning", "failed"]
SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "failed": ("✗", "red")}


@dataclass(frozen=True)
class Check:
    """One thing looked at. `advice` says what to do where it isn't right; only `failed` keeps the assistant from answering."""

    name: str
    state: State
    detail: str
    advice: str = ""


@click.command(help="Vérifier que tout est prêt à répondre ; dit quoi faire sinon.")
@index_option
@json_option
def doctor(index: Path | None, as_json: bool) -> None:
    from rag.settings import load_settings

    checks = list(examine(load_settings(index=index)))
    ready = all(check.state != "failed" for check in checks)
    if as_json:
        click.echo(json.dumps({"ready": ready, "checks": [asdict(c) for c in checks]}, ensure_ascii=False))
    else:
        _show(checks, ready)
    if not ready:
        sys.exit(1)


def examine(settings: Settings) -> Iterator[Check]:
    """Every check in turn; one that breaks is itself a failure, and the others go on."""
    parts: tuple[Callable[[Settings], Check], ...] = (
        _python, _packages, _model, _index, _chroma, _llm, _ocr, _browser, _disk
    )  # fmt: skip
    for part in parts:
        try:
            yield part(settings)
        except Exception as error:  # noqa: BLE001 — a doctor must get to the end
            yield Check(part.__name__.strip("_"), "failed", f"vérification impossible ({error!r})")


def _show(checks: list[Check], ready: bool) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True)
    for check in checks:
        sign, style = SIGNS[check.state]
        console.print(Text(f"{sign} ", style=style) + Text(check.name, style="bold") + Text(f" : {check.detail}"))
        if check.advice:
            console.print(Text(f"    → {check.advice}"))
    console.print(Text("Tout est prêt." if ready else "Il reste à corriger ce qui est marqué ✗.", style="bold"))


def _python(_: Settings) -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Check("Python", "failed", found, "Installez Python 3.11 ou plus récent, puis : make run")
    return Check("Python", "ok", found)


def _packages(_: Settings) -> Check:
    from importlib.metadata import PackageNotFoundError, requires, version

    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in requires("boussole17") or ()]
    except PackageNotFoundError:
        return Check("Paquets", "failed", "boussole17 n'est pas installé", "make run")
    needed = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    missing = []
    for requirement in needed:
        try:
            if not requirement.specifier.contains(version(requirement.name), prereleases=True):
                missing.append(str(requirement))
        except PackageNotFoundError:
            missing.append(requirement.name)
    if missing:
        return Check("Paquets", "failed", f"il manque {', '.join(missing)}", "make run (ou pip install -e .)")
    return Check("Paquets", "ok", f"les {len(needed)} paquets sont là")


def _model(settings: Settings) -> Check:
    from rag.e5 import model_directory
    from rag.settings import DEFAULT_MODEL

    name = settings.embedding_model
    if name == DEFAULT_MODEL:
        folder = model_directory(settings.cache)
        if (folder / "modules.json").exists():
            return Check("Modèle de plongement", "ok", f"{name}, dans {folder}")
        return Check(
            "Modèle de plongement", "failed", f"{name} n'est pas encore là", "boussole index (il est alors préparé)"
        )
    if Path(name).is_dir():
        return Check("Modèle de plongement", "ok", f"dossier {name}")
    return Check("Modèle de plongement", "warning", f"{name} : sera demandé à Hugging Face s'il n'est pas en cache",
                 "Sans réseau, donnez un dossier : BOUSSOLE_EMBEDDING_MODEL=/chemin/du/modele")  # fmt: skip


def _index(settings: Settings) -> Check:
    from corpus.errors import BoussoleError
    from rag.generation import Generation, verify

    try:
        generation = Generation.open_published(settings.index)
    except BoussoleError as error:
        said, _, advice = str(error).partition(" Lancez : ")
        return Check("Index", "failed", said, advice or "boussole index")
    manifest, folder = generation.manifest, generation.folder
    damaged = verify(folder)
    generation.close()
    if damaged:
        return Check("Index", "failed", f"{len(damaged)} fichier(s) abîmé(s) : {', '.join(damaged[:3])}",
                     f"boussole index --rebuild --index {settings.index}")  # fmt: skip
    counts = manifest["counts"]
    detail = (
        f"{counts['documents']} documents, {counts['pages']} pages, {counts['chunks']} passages ; publié {_age(manifest['created'])} "
        f"({generation.name}), chaque fichier vérifié"
    )
    if manifest["model"] != settings.embedding_model:
        return Check("Index", "warning", f"{detail} ; fait avec {manifest['model']}, réglage : {settings.embedding_model}",
                     "boussole index (reconstruit avec le modèle du réglage)")  # fmt: skip
    if manifest["failures"]:
        return Check("Index", "warning", f"{detail} ; {len(manifest['failures'])} fichier(s) refusé(s)",
                     "boussole index les nomme ; docs/corpus.md dit quoi faire")  # fmt: skip
    return Check("Index", "ok", detail)


def _age(created: str) -> str:
    hours = (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds() / 3600
    if hours < 1:
        return "il y a moins d'une heure"
    return f"il y a {hours:.0f} h" if hours < 48 else f"il y a {hours / 24:.0f} jours"


def _chroma(settings: Settings) -> Check:
    from importlib.metadata import version

    from corpus.errors import BoussoleError
    from rag.vectors import http_client

    if not settings.chroma_url:
        import chromadb  # noqa: F401 — an installation that doesn't load is what this looks for

        return Check("Chroma", "ok", f"{version('chromadb')}, embarqué")
    try:
        http_client(settings.chroma_url).heartbeat()
    except BoussoleError as error:
        return Check("Chroma", "failed", str(error), "chroma run, ou retirez BOUSSOLE_CHROMA_URL")
    return Check("Chroma", "ok", f"le serveur {settings.chroma_url} répond")


def _llm(settings: Settings) -> Check:
    import httpx

    name = "Modèle de langage"
    if not settings.llm_base_url:
        return Check(name, "ok", "aucun : les réponses sont extraites mot pour mot du corpus")
    key = settings.llm_api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx.get(f"{settings.llm_base_url.rstrip('/')}/models", headers=headers, timeout=LLM_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPStatusError as error:
        return Check(name, "warning", f"{settings.llm_base_url} répond par l'erreur {error.response.status_code}",
                     "Vérifiez BOUSSOLE_LLM_BASE_URL et BOUSSOLE_LLM_API_KEY ; en attendant, les réponses sont extraites")  # fmt: skip
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Check(name, "warning", f"{settings.llm_base_url} ne répond pas ({type(error).__name__})",
                     "Démarrez ce service, ou retirez BOUSSOLE_LLM_BASE_URL ; en attendant, les réponses sont extraites")  # fmt: skip
    return Check(name, "ok", f"{settings.llm_base_url} répond")


def _ocr(_: Settings) -> Check:
    name, how = "Lecture des scans", "Pour lire les scans : sudo apt-get install ocrmypdf tesseract-ocr-fra"
    tools = {tool: shutil.which(tool) for tool in ("ocrmypdf", "tesseract")}
    missing = [tool for tool, path in tools.items() if path is None]
    if missing:
        return Check(name, "warning", f"{' et '.join(missing)} absent(s) : un PDF sans texte sera refusé", how)
    listed = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, timeout=20)
    if "fra" not in (listed.stdout + listed.stderr).split():
        return Check(name, "warning", "Tesseract n'a pas le français", "sudo apt-get install tesseract-ocr-fra")
    return Check(name, "ok", "ocrmypdf et Tesseract (français) sont là")


def _browser(_: Settings) -> Check:
    for tool in ("chromium", "chromium-browser", "google-chrome"):
        if (path := shutil.which(tool)) is not None:
            return Check("Navigateur des tests", "ok", path)
    return Check("Navigateur des tests", "warning", "Chromium absent : utile aux seuls tests de la page",
                 "sudo apt-get install chromium")  # fmt: skip


def _disk(settings: Settings) -> Check:
    folder = settings.index.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / 2**30:.1f} Go libres pour l'index".replace(".", ",")
    advice = "Libérez de la place : une nouvelle version de l'index se construit à côté de l'ancienne"
    if free < LOW_BYTES:
        return Check("Disque", "failed", detail, advice)
    return Check("Disque", "ok" if free >= FREE_BYTES else "warning", detail, "" if free >= FREE_BYTES else advice)
