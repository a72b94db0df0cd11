"""What a question asks for in so many words and its answer doesn't hold: a price, a share, a contact, a closing date.

A passage about the very thing, without what is asked of it, is what the calibrated probability (rag/abstain.py) takes most
often for an answer. Each rule is narrow; what they take and cost is measured in docs/adr/0007-abstention.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.asked import ACRONYM
from rag.define import expands
from rag.expect import MONTHS, Expectation, Want, holds
from rag.focus import counts, focus
from rag.lexical import LexicalIndex, fold, last_part, stem, telling_words, token_set, words
from rag.parts import preamble
from rag.query import kind_words

_FOUNDED = re.compile(r"\b(?:fonde|cree|constitue)e?s?\b|\bvu le jour\b|\bnees?\b|\best ne\b(?! pas)")
_AMONG = re.compile(r"\b(?:chez|parmi) (?:les? |la |l')?(.+)")
_APPLY = re.compile(
    r"\b(?:(?:deposer?|envoyer|adresser|faire) (?:un|une|son|notre|mon|ma|le|la) (?:dossier|demande|candidature)|"
    r"candidater|postuler|formulaire|pieces? (?:a )?fournir|s'inscri(?:re|t)|m'inscri\w+|nous inscrire)\b"
)
_APPLY_TOLD = re.compile(
    r"\b(?:depos\w+|candidat\w+|postul\w+|inscri(?:re|vez|ption|ptions|t|ts)|formulaires?|appels? a (?:projets?|candidatures?|manifestations?)|"
    r"remplir|remplissez|envoy\w+ (?:a|au|aux|par)\b|courriers?|contact\w*|ecrivez|adressez)\b"
)
_INITIALS = re.compile(r"\b(?:abreviation|initiales|acronyme|sigle)\b")
_MEANING = re.compile(r"\b(?:que (?:signifie|veut dire|veulent dire)|ca veut dire quoi|signifie quoi)\b")
_TAX = re.compile(r"\bimpots?\b|\bfiscal\w*|\bdefiscali\w+")
_TAX_TOLD = re.compile(r"\bimpots?\b|\bfisca\w+|\bdefiscali\w+|\bdeduct\w+")
_EACH = re.compile(
    r"\bquel(?:le)?s\b|\blist|\bintitules? des\b|\bnoms d(?:es|e ces)\b|\bdetail|\blesquel|\bcite[rz]?\b|\bnomme|\benumer|\bune? par une?\b"
)
_ITEMS = re.compile(r"[,;:\n]| et ")
_FIRST = re.compile(r"\bpremiere?\b|\b1(?:er|re)\b|\ben tete\b|\bdevant\b")
_FIRST_COUNTRY = re.compile(r"\bquels? (?:est le )?pays\b.*\b(?:premier|en tete|mieux classe|meilleur|devant)")
_COUNTRIES = re.compile(
    r"\b(?:france|allemagne|italie|espagne|portugal|belgique|suisse|suede|norvege|finlande|danemark|islande|irlande|royaume-uni|pays-bas|autriche|"
    r"pologne|tchequie|slovenie|slovaquie|hongrie|roumanie|bulgarie|grece|croatie|estonie|lettonie|lituanie|luxembourg|canada|etats-unis|mexique|"
    r"bresil|argentine|chili|chine|japon|coree|inde|australie|nouvelle-zelande|maroc|algerie|tunisie|egypte|senegal|afrique du sud|turquie|russie|ukraine)\b"
)
_WHICH_PLACE = re.compile(
    r"\bquel(?:le)?s? (?:(?:sont|est) )?(?:(?:les?|la|l') ?)?(?:\d+ )?(pays|region|departement)s?\b"
)
_REGIONS = re.compile(
    r"\b(?:auvergne|rhone|bourgogne|franche-comte|bretagne|centre-val|corse|grand[- ]est|hauts-de-france|ile-de-france|normandie|aquitaine|occitanie|"
    r"pays de la loire|provence|alsace|guadeloupe|martinique|guyane|reunion|mayotte)\b"
)
_DEPARTMENTS = re.compile(
    r"\b(?:ain|aisne|allier|alpes|ardeche|ardennes|ariege|aube|aude|aveyron|bouches-du-rhone|calvados|cantal|charente|cher|correze|corse|cote-d'or|"
    r"cotes-d'armor|creuse|dordogne|doubs|drome|eure|finistere|gard|garonne|gers|gironde|herault|ille-et-vilaine|indre|isere|jura|landes|loir-et-cher|"
    r"loire|loire-atlantique|loiret|lozere|maine-et-loire|manche|marne|mayenne|meurthe-et-moselle|meuse|morbihan|moselle|nievre|nord|oise|orne|"
    r"pas-de-calais|puy-de-dome|pyrenees|rhin|rhone|saone|sarthe|savoie|paris|seine|sevres|somme|tarn|var|vaucluse|vendee|vienne|vosges|yonne|"
    r"yvelines|essonne|val-de-marne|val-d'oise|belfort|guadeloupe|martinique|guyane|reunion|mayotte)\b"
)
_FAILED = re.compile(
    r"\b(?:combien|quel(?:le)?s|lesquel(?:le)?s)\b.{0,80}\b(?:echou\w+|abandonn\w+|refuse\w*|rejete\w*)\b"
)
_FAILED_TOLD = re.compile(r"\b(?:echou\w+|echecs?|abandon\w*|refus\w*|rejet\w*)\b")
_PENALTY = re.compile(r"\b(?:sanctions?|amendes?|penalites?)\b")
_PENALTY_TOLD = re.compile(r"\b(?:sanction\w*|amendes?|penalit\w+|suspen\w+|retir\w+|exclu\w+)\b")
_COUNCIL = re.compile(r"\bdeliberations?\b")
_COUNCIL_TOLD = re.compile(r"\bdeliber\w+")
_DAY = re.compile(r"\b(?:quel jour|(?:date|jour) (?:exacte?|precise?))\b")
_DAY_TOLD = re.compile(
    rf"\b\d{{1,2}}(?:er)? (?:{MONTHS})\b|\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)s?\b"
)
_OVERSEAS = re.compile(r"\boutre-mer\b|\bultramarin\w*")
_CARBON = re.compile(r"\bco2\b|\bcarbone\b|\bgaz a effet de serre\b")
_CARBON_TOLD = re.compile(r"\bco2\b|\b(?:de)?carbon\w*|\bges\b|\bgaz a effet de serre\b|\bemissions\b")
_EUROPE = re.compile(r"\beuropeen\w*|\bfeder\b|\bfse\b")
_EUROPE_TOLD = re.compile(rf"\beurop\w+|\bfeder\b|\bfse\b|\bue\b|\berasmus\b|(?!\bfrance\b){_COUNTRIES.pattern}")
_LAW = re.compile(
    r"\b(?:la loi|le droit) (?:oblige|impose|interdit|autorise)|\b(?:a|ont)-(?:t-)?(?:on|il|elle|ils|elles) le droit\b"
)
_LAW_TOLD = re.compile(
    r"\blois?\b|\bdroit\b|\boblig\w+|\bimpos\w+|\binterdi\w+|\bautoris\w+|\breglement\w*|\bdecrets?\b"
)
_COURT = re.compile(r"\btribuna(?:l|ux)\b")
_COURT_TOLD = re.compile(r"\btribuna(?:l|ux)\b|\bjuges?\b|\bjuridiction\w*|\brecours\b")
_TENDER = re.compile(r"\bappels? d'offres?\b")
_TENDER_TOLD = re.compile(r"\bappels? d'offres?\b|\bmarches? publics?\b|\bcommande publique\b")
_SUCCEEDED = re.compile(r"\bqui (?:a |ont )(?:succede|remplace)\b")
_SUCCEEDED_TOLD = re.compile(r"\bsucce(?:d\w+|sseur\w*)|\bremplac\w+")
_ON_AVERAGE = re.compile(
    r"\b(?:duree|somme|montant|cout|prix|budget|nombre|age|delai|salaire)s? moyen(?:ne)?s?\b|(?<!de )\btaille moyenne\b|\ben moyenne\b"
)
_ON_AVERAGE_TOLD = re.compile(r"\bmoyen(?:ne)?s?\b|\benviron\b|\b(?:de|entre) \d[\d ]* (?:a|et) \d")
_WITHOUT = re.compile(r"\bcombien\b.{0,60}\bn'(?:ont|a|avaient) (?:\w+ )?pas\b")
_WITHOUT_TOLD = re.compile(r"\bn(?:e |')\w+|\bsans\b|\baucune?\b|\bmanqu\w+")
_BY_PLACE = re.compile(r"\bpar (region|departement|pays)\b")
_WHICH_TOWN = re.compile(r"\bquelles? villes?\b|\bexemples? d(?:'une?|e) (?:ville|commune|village)s?\b")
_TOWN = re.compile(r"\b(?:à|ville de|commune de|métropole de) [A-ZÉ][a-zéèêç]{2,}")
_PLACES = {"pays": _COUNTRIES, "region": _REGIONS, "departement": _DEPARTMENTS}
_OF_YEAR = re.compile(r"\ben ((?:19|20)\d\d)\b")
_HEADS = re.compile(r"\bqui (?:la |le |l')?(?:a )?(?:preside|dirige)\b")
_HEADED = re.compile(r"\b(?:presid\w+|dirige\w*|direct(?:eur|rice|ion)|a (?:la|sa) tete)\b")
ALSO = {stem("pays"): (stem("pays"), stem("etats"))}  # what counts a thing by another name
ANYBODY = tuple(map(stem, ("personnes", "gens", "participants", "monde", "acteurs", "structures", "organisations")))
SHORTEST = 3  # letters of a word that names a thing
BEGINNING = 6  # letters that a word shares with its other forms
_AMOUNT = re.compile(
    r"\bcombien (?:ca |cela )?(?:coute|ont coute|a coute)|\bcoute(?:nt)?(?:-t-(?:il|elle)s?)? combien|\ba combien s'eleve|"
    r"^(?:le )?(?:prix|tarif|cout) (?:de |du |des |d')|"
    r"\bcombien (?:gagne|touche|est paye|sont paye)|"
    r"\bquel(?:le)?s? (?:(?:est|etait|sera|sont) )?(?:(?:le|la|son|sa|leur) )?"
    r"(?:prix|couts?|budget|montant|tarif|somme|dotation|salaire|subvention)\b"
)
_SHARE = re.compile(r"%|\btaux\b|\bpourcentage\b")
_COUNT = re.compile(
    r"\b(?:combien|nombre) d(?:e |')(?!temps|annees|ans|mois|jours|heures|minutes|argent|fois|euros?)(?:(?:nos|vos|leurs|ces|mes) )?(\w+)"
)
_OTHER_UNITS = re.compile(  # so many times, an age, a duration, a share, a day: they count nothing else
    r"\b(?:\d+|deux|trois|quatre|cinq|dix) fois\b|"
    r"\d+(?:[.,]\d+)?(?: ?(?:a|et|ou|-|–) ?\d+)? ?(?:ans?\b|mois\b|jours?\b|heures?\b|h\b|minutes?\b|%(?! (?:des?|du)\b)(?! d')|€|euros?\b)|"
    rf"\b\d{{1,2}} (?:{MONTHS})\b|\bn°? ?\d+"
)
_LABELLED = re.compile(r" : (?:nombre )?\d")  # « Indicateurs : nombre 231 »
_HOW_MANY = re.compile(
    r"(?<!\bde )(?<!\bpour )\bcombien\b(?! (?:de temps|d'annees|de mois|de jours|d'heures|de minutes|de fois|ca coute|coute))"
)
_CONTACT = re.compile(r"\b(?:e-?mail|mail|courriel|telephone|tel|contacter|joindre|coordonnees|adresse postale)\b")
_CONTACT_GIVEN = re.compile(
    r"\S@\S|\b\d{1,3},? (?:bis |ter )?(?:rue|avenue|boulevard|place|quai|chemin|allee)\b|\b0\d(?:[ .]?\d\d){4}\b|\bcontact"
)
_FREE = re.compile(
    r"\b(?:est|c'est|sont|etait)\b.{0,30}\b(?:gratuit|payant)(?:e?s?)\b|\best-ce (?:que c'est )?(?:gratuit|payant)"
)
_FREE_TOLD = re.compile(r"\bgratuit|\bpayant|€|\beuros?\b")
_CLOSING = re.compile(r"\b(?:dates? limites?|echeances?|deadline|delais?|cloture)\b")
_UNTIL = re.compile(r"\bjusqu'a quand\b")
_OFFICE = re.compile(
    r"\bqui (?:est|etait|sont|sera|dirige|preside)\b.{0,20}\b"
    r"(presidente?|directeur|directrice|deleguee?|maire|ministre|tresorier|tresoriere|secretaire|prefete?|referente?)\b"
)
# Who asks for one is told by a sentence that holds the other.
_TOLD = (
    (_CONTACT, _CONTACT_GIVEN),
    (_FREE, _FREE_TOLD),
    (_APPLY, _APPLY_TOLD),
    (_TAX, _TAX_TOLD),
    (_FAILED, _FAILED_TOLD),
    (_HEADS, _HEADED),
    (_PENALTY, _PENALTY_TOLD),
    (_COUNCIL, _COUNCIL_TOLD),
    (_DAY, _DAY_TOLD),
    (_OVERSEAS, _OVERSEAS),
    (_CARBON, _CARBON_TOLD),
    (_EUROPE, _EUROPE_TOLD),
    (_LAW, _LAW_TOLD),
    (_COURT, _COURT_TOLD),
    (_TENDER, _TENDER_TOLD),
    (_SUCCEEDED, _SUCCEEDED_TOLD),
    (_ON_AVERAGE, _ON_AVERAGE_TOLD),
    (_WITHOUT, _WITHOUT_TOLD),
)


def unmet(question: str, expectation: Expectation, said: Sequence[str], lexical: LexicalIndex) -> bool:
    """Whether a question that asks one thing asks for what no sentence `said` holds."""
    folded, wants, aside = fold(question), expectation.wants, preamble(question)
    spoken = [fold(sentence) for sentence in said]

    def held(want: Want) -> bool:
        return any(holds(want, sentence, question) for sentence in said)

    def held_of_the_thing(want: Want) -> bool:
        things = (*focus(question, lexical), *(map(stem, telling_words(question)) if expectation.drawn else ()))
        return any(holds(want, sentence, question) and _speaks_of(sentence, things) for sentence in said)

    def counted(thing: str) -> bool:
        """Whether a number, which isn't an age or a share, counts the thing; anybody, or what the question is about, where people
        are asked for."""
        things = (*ANYBODY, *focus(question, lexical)) if thing in ANYBODY else ALSO.get(thing, (thing,))
        left = [_OTHER_UNITS.sub(" ", sentence) for sentence in spoken]
        return any(
            holds("number", sentence, question)
            and (counts(sentence, things) or (_LABELLED.search(sentence) and _speaks_of(sentence, things)))
            for sentence in left
        )

    def numbered() -> bool:
        """Whether an amount, or a number that isn't an age, a share, a time…, is said."""
        return held("money") or any(holds("number", _OTHER_UNITS.sub(" ", sentence), question) for sentence in spoken)

    def in_place(place: str) -> bool:
        """Whether a country, a region… that the question doesn't name is said."""
        given = set(_PLACES[place].findall(folded))
        return any(set(_PLACES[place].findall(sentence)) - given for sentence in spoken)

    def held_by(title: str, sentence: str) -> bool:
        """Whether a sentence says an office with something else of the question (« le président de la *Fondation* »)."""
        tokens = token_set(sentence)
        others = token_set(question) - {title}
        return title in tokens and (not others or bool(others & tokens))

    def meant(sentence: str) -> bool:
        """Whether a sentence spells an acronym of the question, or begins with it."""
        folded_sentence = fold(sentence)
        return any(
            expands(sentence, a) or re.match(rf"(?:l'|le |la |les |un |une )?{re.escape(a)}\b", folded_sentence)
            for a in _acronyms(question)
        )

    def listed(count: int) -> bool:
        """Whether most of as many things are said, one after the other or in one sentence."""
        return len(said) > count / 2 or any(len(_ITEMS.split(sentence)) > count / 2 for sentence in spoken)

    def asks_for(asks: re.Pattern[str]) -> bool:
        """Whether it is asked, and isn't only what who asks says of themselves (« une commune d'outre-mer »)."""
        found = asks.search(last_part(folded))
        return found is not None and not set(words(found.group())) <= aside

    def dated() -> bool:
        """Whether a date is said of the thing itself: its sentence says that it began, or another word of the question."""
        rest = set(telling_words(_FOUNDED.sub(" ", folded))) - kind_words(folded)
        things = [stem(word) for word in rest if len(word) >= SHORTEST]
        return any(
            holds("date", sentence, question) and (_FOUNDED.search(folded_one) or _speaks_of(sentence, things))
            for sentence, folded_one in zip(said, spoken, strict=True)
        )

    def of_them(whom: str) -> bool:
        """Whether those among whom something is counted are said."""
        things = [stem(word) for word in telling_words(whom)]
        return not things or any(_speaks_of(sentence, things) for sentence in said)

    among = _AMONG.search(folded) if wants & {"number", "percent"} else None
    place, town = _WHICH_PLACE.search(folded) or _BY_PLACE.search(folded), _WHICH_TOWN.search(folded)
    year = _OF_YEAR.search(last_part(folded)) if wants & {"number", "percent", "money"} else None
    office, count = _OFFICE.search(folded), _COUNT.search(folded)
    return (
        any(asks_for(asks) and not any(told.search(s) for s in spoken) for asks, told in _TOLD)
        or ("percent" in wants and bool(_SHARE.search(folded)) and not held_of_the_thing("percent"))
        or ("number" in wants and count is not None and not counted(stem(lexical.correct(words(count.group(1))[-1]))))
        or (
            "number" in wants
            and not wants & {"money", "percent"}
            and count is None
            and bool(_HOW_MANY.search(folded))
            and not numbered()
        )
        or (bool(_AMOUNT.search(folded)) and not held("money"))
        or ("duration" in wants and not held("duration"))
        or ("date" in wants and bool(_FOUNDED.search(folded)) and not dated())
        or (among is not None and not of_them(among.group(1)))
        or (place is not None and not in_place(place.group(1)))
        or (town is not None and not any(_TOWN.search(sentence) for sentence in said))
        or (year is not None and not any(year.group(1) in s for s in spoken))
        or ("duration" not in wants and bool(_CLOSING.search(folded)) and not any(_CLOSING.search(s) for s in spoken))
        or (bool(_UNTIL.search(folded)) and not held("date"))
        or (office is not None and not any(held_by(stem(office.group(1)), sentence) for sentence in said))
        or (bool(_INITIALS.search(folded)) and not any(expands(s, a) for s in said for a in _acronyms(question)))
        or (bool(_MEANING.search(folded)) and bool(_acronyms(question)) and not any(meant(s) for s in said))
        or (expectation.count is not None and bool(_EACH.search(folded)) and not listed(expectation.count))
        or (bool(_FIRST_COUNTRY.search(folded)) and not any(_FIRST.search(s) and _COUNTRIES.search(s) for s in spoken))
    )


def _speaks_of(sentence: str, things: Sequence[str]) -> bool:
    """Whether one of the index tokens `things` is said, in any of its forms: « soutenus » by « a soutenu »."""
    return any(token.startswith(thing[:BEGINNING]) for token in token_set(sentence) for thing in things)


def _acronyms(question: str) -> list[str]:
    return [fold(word) for word in ACRONYM.findall(question)]
