"""A question that asks in so many words for a price, a share, a contact… isn't answered by what holds none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.expect import expect
from rag.lexical import LexicalIndex, build_lexical, open_lexical
from rag.unmet import unmet


@pytest.fixture(scope="module")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> LexicalIndex:
    folder: Path = tmp_path_factory.mktemp("bm25")
    build_lexical(["Le mécénat, la formation, les maires, un fonds, une association et ses salariés."], folder)
    return open_lexical(folder)


@pytest.mark.parametrize(
    ("question", "without", "with_it"),
    [
        ("Combien coûte la formation ?", "La formation dure 32 heures.", "La formation coûte 300 € par personne."),
        ("Quel est le budget du fonds ?", "Le fonds a soutenu 50 projets.", "Le fonds dispose de 2 millions d'euros."),
        ("Quel est le taux du mécénat ?", "54 % ont des pratiques responsables.", "Le mécénat est à 25 %."),
        ("Combien d'associations ont signé ?", "350 catalyseurs ont émergé.", "12 associations ont signé la charte."),
        ("Combien de temps dure la formation ?", "La formation est en ligne.", "La formation dure 32 heures."),
        ("Comment contacter le fonds ?", "Le fonds soutient des projets.", "Écrivez au fonds : fonds@exemple.org."),
        ("Quelle est la date limite ?", "Le fonds a été créé en 2020.", "La date limite est le 3 mai 2023."),
        ("Combien de maires ont répondu ?", "Les maires de 18 à 25 ans ont répondu.", "40 maires ont répondu."),
        ("Combien de nos salariés former ?", "Former les salariés en 3 mois.", "Former 20 % des salariés."),
        ("Comment déposer un dossier ?", "Le dossier « Alliances » a paru en 2023.", "Les candidatures sont ouvertes."),
        ("Prix de la formation ?", "La formation dure 32 heures.", "La formation coûte 300 €."),
        (
            "FDVA, c'est l'abréviation de quoi ?",
            "Le FDVA aide.",
            "Le fonds de développement de la vie associative (FDVA).",
        ),
        ("Le fonds, il va jusqu'à quand ?", "Le fonds aide des projets.", "Le fonds s'engage de 2023 à 2027."),
        (
            "Qui est le président du fonds ?",
            "Cette phrase du Président de la République est célèbre.",
            "Ana Roux est présidente du fonds.",
        ),
        ("Que signifie EPCI ?", "Les 660 EPCI portent des projets.", "EPCI : intercommunalité à fiscalité propre."),
        ("Quel avantage d'impôt pour un don ?", "Le mécénat est un don.", "60 % du don est déductible des impôts."),
        ("Où envoyer mon dossier ?", "Le dossier « Alliances » a paru.", "Les candidatures sont reçues en mai."),
        ("Quelles sont les 4 mesures ?", "Il y a 4 mesures, dont la première.", "Former, aider, relier, mesurer."),
        ("Nombre d'habitants minimum ?", "Le fonds a soutenu 50 projets.", "Il faut 5 000 habitants."),
        ("Combien de projets ont échoué ?", "50 projets soutenus.", "3 projets ont été abandonnés."),
        ("Ils ont interrogé combien de monde ?", "Ils ont 18 à 25 ans.", "Ils sont 300 participants."),
        ("Des maires, il y en a combien ?", "Deux fois plus frugal.", "40 maires ont répondu."),
        ("Dans quelle ville ?", "Le forum a eu lieu en 2023.", "Le forum a eu lieu à Lille."),
        ("Taux du mécénat par région ?", "Le mécénat est à 25 %.", "Le mécénat est à 30 % en Bretagne."),
        ("Quelle sanction risque un maire ?", "Les maires ont signé.", "Le maire risque une amende."),
        ("Faut-il une délibération ?", "Les maires ont signé.", "Le conseil délibère d'abord."),
        ("Quel jour a-t-elle été signée ?", "Elle a été signée en 2014.", "Elle a été signée le 31 juillet 2014."),
        ("Quelle est l'adresse postale ?", "Le fonds est à Paris.", "Le fonds, 3 rue des Lilas."),
        ("Qui dirige le livre ?", "Le livre est paru en 2023.", "Livre sous la direction d'Ana Roux."),
        ("Combien de pays ont signé ?", "350 alliances en France.", "193 États membres l'ont signé."),
        ("Qui préside le fonds ?", "Le fonds n'est pas une fondation.", "Ana Roux préside le fonds."),
        ("Quelle région a le plus de maires ?", "La France a 13 régions.", "La Bretagne a le plus de maires."),
        ("Quel département a signé ?", "Les préfets de départements ont signé.", "Le Finistère a signé la charte."),
        ("Quels pays devancent la France ?", "La France est au 6e rang.", "La Suède et la Finlande la devancent."),
        ("Quel était le taux du mécénat en 2015 ?", "Le mécénat est à 25 %.", "En 2015, le mécénat était à 67 %."),
        ("Combien de jours dure la formation ?", "La formation dure 6 mois.", "La formation dure 3 jours."),
        ("Combien est payé un maire ?", "40 maires ont répondu.", "Un maire est payé 1 000 €."),
        ("Quelle subvention donne le fonds ?", "Le fonds aide les projets.", "Le fonds donne 3 000 €."),
        ("Quel pays arrive premier ?", "La France est au 6e rang.", "La Suède est le premier pays."),
        ("En quelle année le fonds a-t-il été créé ?", "L'Agenda a été signé en 2015.", "Le fonds est né en 2020."),
        ("Quel est le taux du mécénat chez les maires ?", "Le mécénat est à 25 %.", "Mécénat : 30 % des maires."),
        ("Combien de maires n'ont pas signé ?", "40 maires ont signé.", "3 maires n'ont pas signé."),
        ("Quelle est la durée moyenne du fonds ?", "Le fonds dure 2 ans.", "Le fonds dure 2 ans en moyenne."),
        ("La loi oblige-t-elle les maires ?", "Les maires ont signé.", "Les maires doivent, selon la loi, signer."),
        ("Un fonds a-t-il le droit d'arrêter ?", "Un fonds aide.", "Un fonds peut être interdit."),
        ("Quel tribunal saisir ?", "Les maires ont signé.", "Le recours se fait en mairie."),
        ("Faut-il un appel d'offres ?", "Les maires ont signé.", "C'est la commande publique."),
        ("Qui a succédé au maire ?", "Le maire a signé.", "Ana Roux a remplacé le maire."),
        ("Quelles aides européennes pour le fonds ?", "Le fonds aide.", "L'Europe aide le fonds."),
        ("Combien de maires en outre-mer ?", "40 maires ont signé.", "12 maires d'outre-mer ont signé."),
        ("Quel effet sur le CO2 ?", "Le fonds aide.", "Le fonds baisse le carbone."),
        (
            "Quel est le taux de cofinancement du fonds ?",
            "40 % des communes ont répondu.",
            "Le fonds cofinance à 40 %.",
        ),
        ("Quand le fonds a-t-il vu le jour ?", "Les vulnérables datent de 2019.", "Le fonds date de 2020."),
        ("Un exemple de ville ?", "Le fonds aide les maires.", "Ainsi à Lille."),
        ("Qui est le directeur du fonds ?", "Le fonds a été créé par Le RAMEAU.", "Ana Roux est directeur du fonds."),
    ],
)
def test_what_is_asked_for_must_be_said(lexical: LexicalIndex, question: str, without: str, with_it: str) -> None:
    assert unmet(question, expect(question), [without], lexical)
    assert not unmet(question, expect(question), [without, with_it], lexical)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Qui a créé le fonds ?", "Il est né en 2020."),
        ("En quelle année le fonds a-t-il été créé ?", "Fondée en 2006, l'association aide les maires."),
        ("Je suis maire d'une commune d'outre-mer : comment créer un fonds ?", "Un fonds se crée à plusieurs."),
        ("Où est la France par rapport à ses voisins européens ?", "Elle est derrière la Suède."),
        ("Quelles alliances pour une ville de taille moyenne ?", "Les villes de 20 000 habitants s'allient."),
        ("Quel est le nom du programme qui regroupe les 17 ODD ?", "C'est l'Agenda 2030."),
        ("Combien de cofinanceurs a le fonds ?", "Le fonds a 12 cofinanceurs."),
        ("Combien d'euros rapporte un euro ?", "Un euro rapporte 7 €."),
        ("Quand le fonds a-t-il été créé ?", "Le fonds existe depuis 2020."),
        ("Combien de maires ?", "40 maires, sans compter les autres."),
        ("Qui a créé le fonds ?", "Le fonds a été créé par Le RAMEAU."),
        ("Le prix libre, comment ça marche ?", "Chacun paie selon ses moyens."),
        ("Que rapporte le mécénat ?", "Le mécénat ancre l'entreprise dans son territoire."),
        ("Quel est le taux du mécénat : en 2015, qui en parlait ?", "Le mécénat est à 25 %."),
        ("Quels pays ont signé ?", "La Suède a signé."),
        ("Combien de maires ?", "Quarante maires ont répondu."),
        ("Combien de participants ?", "Au moins 30 personnes."),
        ("Combien verse le fonds par projet ?", "Le fonds verse 400 € par projet."),
        ("Combien d'associations ?", "Associations : nombre 12."),
        ("À qui envoyer le dossier ?", "Le dossier est envoyé par courrier à la direction."),
        ("Combien d'années avant l'échéance ?", "Il reste sept ans."),
        ("Notre dossier a été refusé, combien de temps attendre ?", "Un an."),
        ("Dans la matrice, quel pourcentage est placé en amont ?", "Fonds : en amont (15 %) ; en aval (25 %)."),
    ],
)
def test_other_questions_are_left_to_the_probability(lexical: LexicalIndex, question: str, said: str) -> None:
    assert not unmet(question, expect(question), [said], lexical)
