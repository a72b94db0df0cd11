# What one does here. `make run` and `make test` need Python 3.11 or newer, and nothing else beforehand.
# The first that runs and is recent enough: a name on the PATH may be only a version manager's placeholder.
RECENT := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(or $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(RECENT)' 2>/dev/null && echo $$p && break; done),python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help run index test check format evals gate corpus bench captures clean

help: ## dit ce que chaque commande fait
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: $(STAMP) ## installe ce qui manque, indexe le corpus de départ, lance l'assistant
	@echo "→ Corpus : mise à jour de l'index (rien n'est refait si rien n'a changé)…"
	@$(BIN)/boussole index
	@echo "→ Assistant : démarrage…"
	@$(BIN)/boussole serve

index: $(STAMP) ## met l'index à jour
	@$(BIN)/boussole index

test: $(STAMP) check browser ocr ## vérifie le code puis lance tous les tests, les rapides d'abord
	@echo "→ Tests rapides…"
	@$(BIN)/pytest -m "not slow"
	@echo "→ Tests complets (modèle, serveurs, navigateur)…"
	@$(BIN)/pytest -m slow

.PHONY: browser ocr
browser: ## installe le navigateur des tests où il manque
	@./.ci/browser

ocr:
	@./.ci/ocr

check: $(STAMP) ## style, types et fautes de sécurité connues
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/bandit -q -c pyproject.toml -r corpus rag evals api ui 2>/dev/null

format: $(STAMP) ## met le code en forme
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: torture update
torture: $(STAMP) ## met l'index, la lecture et le service à l'épreuve (moins de 30 minutes)
	@$(BIN)/python tests/torture/all.py

.PHONY: sbom licences
sbom: $(STAMP) ## écrit la nomenclature CycloneDX de ce qui est installé (artifacts/sbom.json)
	@./.ci/sbom artifacts/sbom.json

licences: $(STAMP) ## refait la liste des licences des dépendances (docs/licences.md)
	@$(BIN)/python .ci/licences

update: $(STAMP) ## met les dépendances à jour et montre ce qui a changé
	@$(BIN)/python .ci/update

evals: $(STAMP) ## mesure l'assistant sur les questions de référence
	@$(BIN)/evals run

gate: $(STAMP) ## dit si l'index peut être publié (mesure, comparaison, références)
	@$(BIN)/evals gate

corpus: $(STAMP) ## recompose les PDF du corpus de départ
	@$(BIN)/python -m corpus.typeset

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c '$(RECENT)' || { echo "Il faut Python 3.11 ou plus récent : installez-le, ou donnez-le par « make PYTHON=/chemin/python3.11 »."; exit 2; }
	@echo "→ Environnement : création et installation (quelques minutes la première fois)…"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,evals]'
	@touch $@

bench: $(STAMP) index ## mesure les temps et la mémoire, à côté de LlamaIndex (long ; npm et pip requis)
	@$(BIN)/python -m benchmarks.start index
	@$(BIN)/python -m benchmarks.indexing
	@$(BIN)/python -m benchmarks.growth
	@$(BIN)/python -m benchmarks.replicas

captures: $(STAMP) ## refait les images de la page pour la documentation (il faut un index et Chromium)
	@$(BIN)/python docs/captures/remake.py

clean: ## retire l'environnement et l'index
	rm -rf $(VENV) index runs artifacts
