"""Settings: one typed class, `BOUSSOLE_*` variables and `.env`, read once at the edge; an unknown name is refused."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from corpus.errors import ConfigurationError

PREFIX = "BOUSSOLE_"
DEFAULT_MODEL = "multilingual-e5-small"
STARTER_CORPUS = Path(__file__).resolve().parent.parent / "corpus" / "documents"
OFFICIAL_DOCUMENTS = STARTER_CORPUS.with_name("manifest.toml")


class Settings(BaseSettings):
    """What an operator can have an opinion on. Descriptions are in French: `docs/reglages.md` is made from them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    index: Path = Field(Path("index"), description="Dossier de l'index")
    sources: str = Field(
        "",
        description="Dossiers ou fichiers à indexer avec les documents ajoutés, séparés par « : » ; vide : le corpus de départ",
    )
    manifest: Path = Field(
        OFFICIAL_DOCUMENTS, description="Manifeste des documents officiels que `boussole corpus fetch` récupère"
    )
    fetch_loopback: bool = Field(
        False, description="Essais seulement : `corpus fetch` peut demander à un serveur de cette machine, sans https"
    )
    cache: Path = Field(Path.home() / ".cache" / "boussole17", description="Dossier des modèles convertis")
    embedding_model: str = Field(
        DEFAULT_MODEL, description="Modèle de plongement : nom Hugging Face, dossier local, ou le modèle par défaut"
    )
    chroma_url: str = Field("", description="Adresse d'un serveur Chroma ; vide : Chroma embarqué")
    exact_limit: int = Field(
        20_000,
        ge=0,
        description="Nombre de passages jusqu'auquel le tableau des vecteurs est lu en entier, sans Chroma",
    )
    threads: int = Field(0, ge=0, description="Fils de calcul du modèle ; 0 : autant que de cœurs")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Calcul du modèle : `bfloat16`, plus de deux fois plus rapide, ou `float32` ; `auto` choisit "
        "`bfloat16` quand le processeur la calcule. Un même index convient aux deux",
    )
    llm_base_url: str = Field(
        "", description="Adresse d'un service compatible OpenAI, par exemple http://127.0.0.1:8090/v1"
    )
    llm_model: str = Field("", description="Nom du modèle à demander à ce service")
    llm_api_key: SecretStr = Field(SecretStr(""), description="Clé de ce service ; jamais affichée ni journalisée")
    llm_timeout: float = Field(30.0, gt=0, description="Secondes laissées au modèle pour une réponse entière")
    host: str = Field("127.0.0.1", description="Adresse d'écoute")
    port: int = Field(8017, ge=0, le=65535, description="Port d'écoute")
    workers: int = Field(1, ge=1, le=64, description="Processus qui répondent ; chacun charge le modèle (environ 1 Go)")
    root_path: str = Field(
        "",
        pattern=r"^(/[\w.~-]+)*$",
        description="Préfixe d'adresse derrière un serveur mandataire, par exemple /boussole",
    )
    trusted_proxies: str = Field(
        "",
        description="Adresses des serveurs mandataires dont les en-têtes X-Forwarded-* sont crus, séparées par des "
        "virgules ; vide : aucun",
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="Redis où plusieurs serveurs comptent ensemble les demandes, par exemple redis://127.0.0.1:6379 ; "
        "vide : chaque machine compte les siennes",
    )
    data: Path = Field(Path("var"), description="Dossier des documents ajoutés, des clés et des avis (SQLite)")
    feedback_days: int = Field(365, ge=1, description="Jours de conservation des avis")
    log_questions: bool = Field(
        False, description="Conserver les questions (données personnelles : à annoncer aux usagers)"
    )
    max_question: int = Field(2000, ge=10, description="Longueur maximale d'une question, en caractères")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`, flags winning. Raises ConfigurationError in French."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = {name for name in os.environ if name.upper().startswith(PREFIX)} | _names_in_env_file(Path(".env"))
    for name in sorted(given):
        if name.upper() not in known:
            close = difflib.get_close_matches(name.upper(), known, n=1)
            hint = f" Vouliez-vous dire {close[0]} ?" if close else ""
            raise ConfigurationError(f"Réglage inconnu : {name}.{hint} La liste est dans docs/reglages.md.")
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise ConfigurationError(f"Réglage {name} : valeur refusée ({first['msg']}).") from None


def _names_in_env_file(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    from dotenv import dotenv_values

    return {name for name in dotenv_values(path) if name.upper().startswith(PREFIX)}
