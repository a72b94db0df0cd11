"""What needs no retrieval: greetings and thanks, and attempts to change the assistant's rules."""

from __future__ import annotations

import re

from rag.lexical import fold

REFUSAL = (
    "Je ne peux pas répondre à cette demande : je réponds seulement aux questions sur le corpus ODD 17, "
    "à partir de ses pages, et mes règles ne changent pas en cours de conversation."
)
GREETING = "Bonjour ! Posez-moi votre question sur les alliances et l'ODD 17 : je réponds avec la page qui le prouve."
THANKS = "Avec plaisir. Si une autre question vous vient sur les alliances ou l'ODD 17, je suis là."
ABOUT = (
    "Je réponds en français à vos questions sur le corpus ODD 17 (alliances, Territoires, modèles socio-économiques…). "
    "Chaque phrase renvoie à la page qui la prouve, et je le dis quand le corpus n'en parle pas."
)

_INJECTION = re.compile(
    r"ignor\w* (?:toutes? )?(?:tes|les|vos|ces|ses|l'ensemble|all|your|previous|the)\b.{0,40}(?:instruction|consigne|regle|rules?|prompt|precedent|directive)|"
    r"oubli\w* (?:toutes? )?(?:tes|les|vos|ces|le|la|ce|cette|ton|ta|votre) .{0,40}(?:instruction|consigne|regle|directive|precedent)|"
    r"\b(?:prompt|message|invite|instructions?) (?:systeme|system|cache|secret|initial)|system prompt|"
    r"(?:revele|affiche|montre|donne|repete|recopie|print|reveal|show)\w*[- ](?:moi )?.{0,30}(?:prompt|tes (?:instruction|consigne|regle)|vos (?:instruction|consigne|regle)|your (?:instruction|prompt|rules)|cles? api|api key|mots? de passe|password|secret)|"
    r"\b(?:repete|recopie|affiche|montre|donne|revele|dis|decri)\w*\b.{0,40}\b(?:ta|tes|ton|votre|vos) (?:configuration|cles?|parametres?|reglages?|identifiants?|code)\b|"
    r"\bmode (?:administrateur|admin|developpeur|debug|root|dan|sans (?:filtre|limite|restriction))|\bjailbreak|\bdeveloper mode|"
    r"(?:tu es|vous etes|you are|agis comme|comporte-toi comme|joue le role|fais semblant d|pretends? to be|act as|role de)\b.{0,60}(?:sans (?:aucune )?(?:limite|regle|filtre|restriction|source|censure)|desormais|maintenant|pirate|hacker|un autre assistant|no (?:rules|limits)|unrestricted|libre de)|"
    r"\bje suis (?:le|la|ton|ta|votre) (?:developpeu\w+|createur|creatrice|administrat\w+|concepteur|conceptrice)\b.{0,60}\b(?:repon|oubli|ignor|change|desactiv)|"
    r"\brepon\w+ (?:desormais|maintenant|toujours|seulement|uniquement|juste) (?:que|qu'|par)\b|"
    r"\b(?:fais|faites|faisons) comme si\b|\bconfirmez?-(?:le|la|moi)\b|"
    r"(?:desormais|a partir de maintenant|from now on|maintenant)[, ]+(?:tu (?:es|dois|vas|reponds|ne)|vous (?:etes|devez|allez)|you (?:are|must|will)|reponds)|"
    r"\b(?:contourne|desactive|outrepasse|bypass|override|disregard)\w*\b.{0,40}(?:regle|consigne|securite|filtre|instruction|garde-fou|rules?|verification|citation)|"
    r"(?:invente|fabrique|imagine)\w*[- ](?:moi )?.{0,30}(?:statistique|chiffre|citation|source|etude|donnees?|fait)|"
    r"sans (?:aucune )?(?:source|citation)s?\b.{0,40}(?:repond|confirm|dis|affirm)|(?:repond|confirm|ecri|dis)\w*\b.{0,40}\bsans (?:aucune )?(?:source|citation|verifi)|"
    r"^\s*(?:system|systeme|assistant|admin)\s*:|<\|?(?:system|im_start|endoftext)|\[/?inst\]|###\s*(?:system|instruction)|"
    r"(?:questions?|conversations?|donnees) (?:des|d') ?autres (?:utilisateur|usager|personne)|"
    r"(?:execute|lance|run)\w* .{0,20}(?:commande|code|script|shell|sql)|\bdrop table\b|\brm -rf\b",
    re.DOTALL,
)
_GREETING = re.compile(
    r"^(?:bonjour|bonsoir|salut|coucou|hello|hey|bjr|slt)(?: (?:a tous|a vous|madame|monsieur|l'assistant|boussole))*[ !.,?]*$"
)
_THANKS = re.compile(
    r"^(?:ok |super |parfait |tres bien |genial |bien |d'accord )*[,!]? ?(?:merci|thanks|thx)(?: (?:beaucoup|bien|a vous|a toi|infiniment|pour .*))?[ !.]*$|^(?:au revoir|bonne (?:journee|soiree)|a bientot)[ !.]*$"
)
_ABOUT = re.compile(
    r"^(?:bonjour[ ,!]*)?(?:que peux[- ]tu faire|que pouvez[- ]vous faire|que sais[- ]tu faire|qui es[- ]tu|qui etes[- ]vous|tu es qui|"
    r"a quoi (?:tu sers|sers[- ]tu|servez[- ]vous)|comment (?:ca|tu) marche(?:s)?|comment (?:t'|vous )?utiliser|aide|help|parle[sz]?[- ]moi de (?:toi|vous)|quel(?:le)?s questions (?:puis-je|je peux|peut-on))\b.{0,40}$"
)


_PASTIME = re.compile(
    r"^(?:(?:peux-tu|pouvez-vous|tu peux) )?(?:me |nous |m')?(?:racont|di[st]|ecri|chant|compos|invent|fai[st]|connai|trouv|donn)\w*(?:[- ](?:moi|nous|tu))? (?:une?|la|des) "
    r"(?:autre |petite? |bonne )?(?:blague|poeme|chanson|devinette|histoire|recette|citation|haiku|rap|mail|lettre|discours|dissertation|idee de cadeau)s?\b"
)


def refuses(question: str) -> bool:
    """Whether the question tries to change the rules, to get at the instructions, or to have facts made up."""
    return bool(_INJECTION.search(fold(question)))


def small_talk(question: str) -> str | None:
    """A short human reply to a greeting, thanks or « que peux-tu faire ? »; None for a real question."""
    folded = fold(question).strip()
    if _GREETING.match(folded):
        return GREETING
    if _THANKS.match(folded):
        return THANKS
    return ABOUT if _ABOUT.match(folded) or _PASTIME.match(folded) else None


_MARKUP = re.compile(r"<(script|style)\b.*?</\1\s*>|<!--.*?-->|</?[a-zA-Z][^<>]{0,500}>", re.DOTALL | re.IGNORECASE)


def without_markup(question: str) -> str:
    """The question without HTML, which nobody asks about; unchanged where nothing else is left."""
    rest = " ".join(_MARKUP.sub(" ", question).split())
    return rest if any(c.isalnum() for c in rest) else question


_TYPED = {
    r"c(?:['’ ]?e?st)? k(?:oi|ézako|ezako)|c quoi|kesako|kézako|kezako": "c'est quoi",
    r"c(?:['’ ]?e?st)? ki": "c'est qui",
    r"(?:pour|p)koi|pk|pq": "pourquoi",
    r"koi": "quoi",
    r"cmt": "comment",
    r"cmb|cbn": "combien",
    r"qd|kan|kand|quan": "quand",
    r"kel": "quel",
    r"kels": "quels",
    r"ki": "qui",
    r"ke": "que",
    r"ds|dan": "dans",
    r"bcp": "beaucoup",
    r"c[ée](?= (?:qui|quoi|lequel|laquelle|lesquel|combien|quand|pour|dans))": "c'est",
    r"kelles?|quele": "quelle",
    r"queles": "quelles",
    r"combien de tan[tds]?": "combien de temps",
    r"conbien|combient|combin|combiens": "combien",
    r"depui|deppuis": "depuis",
    r"d ?an+[ée]+e?s": "d'années",
    r"an(?= quele? an+[ée])": "en",
    r"anée|anné|ané": "année",
    r"anées|annés|anés": "années",
    r"qu?es(?:ke|que?|t ce qu)(?=['’])": "qu'est-ce qu",
    r"qu?es(?:ke|que|t ce que)": "qu'est-ce que",
    r"pourqoi|pourquoa": "pourquoi",
    r"comen|koman|koment": "comment",
    r"cay?i?ers?": "cahier",
    r"exs?[iy]stes?": "existe",
    r"comen[cs][ée]e?|commens[ée]e?": "commencé",
    r"ya|y a t il": "y a-t-il",
    r"assos?": "association",
    r"intercos?": "intercommunalité",
    r"com(?: |-)?com": "communauté de communes",
    r"agglos?": "agglomération",
    r"labos?": "laboratoire",
    r"bouquins?": "livre",
    r"bo[iî]tes(?! (?:à|a|aux|au|mails?|noires?|postales?|de))": "entreprises",
    r"bo[iî]te(?! (?:à|a|aux|au|mail|noire|postale|de))": "entreprise",
    r"bleds?|patelins?": "village",
    r"gosses?|gamin(?:e?s)?|mômes?|minots?": "enfants",
    r"fric|pognon|thunes?": "argent",
    r"boulots?|taf": "travail",
    r"(?:capot|foir)[ée]e?s?": "échoué",
    r"(?:la |le )?combienti[èe]me": "à quel rang",
    r"(?:dix-sept|17) ?(?:i?[èe]me)(?= objectif)": "17e",
}
_CUT = re.compile(
    r"(?<![\d’'-])(?<!\d )\b(c|d|j|l|m|n|s|t|qu) (?=[aeiouyhâàéèêîôû]\w)(?!à\b|et\b|ou\b)"
)  # « l eit », but « les 4 c et… »
_AS_TYPED = re.compile("|".join(rf"\b(?P<t{n}>{typed})\b" for n, typed in enumerate(_TYPED)), re.IGNORECASE)


def spelled_out(question: str) -> str:
    """A question typed as a text message, in plain words: « c koi » → « c'est quoi », « l eit » → « l'eit »."""
    question = _CUT.sub(r"\1'", question)
    return _AS_TYPED.sub(lambda found: list(_TYPED.values())[int((found.lastgroup or "t0")[1:])], question)


_POLITE_OPENING = re.compile(
    r"^\s*(?:(?:ok|super|parfait|très bien|d'accord|génial|merci(?: beaucoup)?|bonjour|bonsoir|salut)\b[ ,!.…]*)+(?:(?:et )?sinon|au fait|autre question|une autre question)?[ ,:]*",
    re.IGNORECASE,
)


def without_politeness(question: str) -> str:
    """« Merci ! Sinon, c'est quoi les 4 C ? » → « c'est quoi les 4 C ? »."""
    rest = _POLITE_OPENING.sub("", question, count=1)
    return rest if len(rest) >= 3 else question
