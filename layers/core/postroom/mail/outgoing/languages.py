"""Which language a text is written in, among those that we can answer in: by script, and by its commonest words.

A guess for choosing a template or an attribution, made from the text alone; unsure is None, and the default is taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

_MOST = 20_000  # characters that are looked at
_LEAST_WORDS = 3  # of a language's own, before it is believed
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")

# The commonest words of mail to a contact centre, those shared by neighbours left out as far as possible.
_WORDS: dict[str, str] = {
    "en": "the and you your have for with this that please would are was not from when thanks order my is hello dear",
    "de": "der die und ich nicht mit ist das für ein eine sie bitte meine habe von auf den wir haben noch aber danke",
    "fr": "le les des est une je vous pour pas dans avec votre mon que merci bonjour nous avoir cette mais suis ai et",
    "es": "el los que una por para con mi su pero gracias hola pedido está tengo como muy estoy favor más y lo usted",
    "pt": "o os que uma não para com por meu minha obrigado olá pedido está tenho você mais foi boa dia em ainda é",
    "it": "il che di una per non con sono mio grazie ordine buongiorno della ho questo anche ancora vostro mia gli è",
    "nl": "de het een ik niet van en met voor dat mijn is heb bestelling graag bedankt zijn naar maar nog wij u geen",
    "sv": "och jag att det är inte en för med har min på hej tack beställning om när skulle vill ni från mig kan av",
    "da": "og jeg at det er ikke en for med har min på hej tak ordre om når ville vil fra mig kan af blev hvad mvh",
    "nb": "og jeg at det er ikke en for med har min på hei takk bestilling om når ville vil fra meg kan av ble hva",
    "fi": "ja on ei että se minun mutta kiitos tilaus hei olen kun niin myös tämä jos voi ole teidän mitä koska vielä",
    "pl": "i nie jest się na do że to dziękuję zamówienie proszę mam moje jak dzień dobry czy za od jeszcze już mi",
    "cs": "a je se na že to jsem děkuji objednávka prosím dobrý den mám ale jak ještě by mi při od nebo není co",
    "sk": "a je sa na že to som ďakujem objednávka prosím dobrý deň mám ale ako ešte by mi pri od alebo nie čo",
    "hu": "a az és nem hogy van egy köszönöm rendelés kérem meg volt csak már ezt jó napot még vagy mert de én",
    "ro": "și nu este că un o la pentru cu mulțumesc comanda bună vă rog am mai din dar sunt ca nu-i dacă când",
    "tr": "ve bir bu için de sipariş teşekkürler merhaba ben değil çok var ama lütfen olarak daha gibi ne ile henüz",
    "hr": "i je da se na nije za hvala narudžba molim imam ali kako dobar dan još samo što sam su bilo koji nisam",
    "sl": "in je da se na ni za hvala naročilo prosim imam ampak kako dober dan še samo kaj sem so bilo ki nisem",
    "et": "ja on ei et see minu aga aitäh tellimus tere olen kui ka kas veel mis teie palun oma ma siis oli",
    "lv": "un ir ne ka tas mans bet paldies pasūtījums labdien es kā arī vai vēl kas jūsu lūdzu ar no uz par",
    "lt": "ir yra ne kad tai mano bet ačiū užsakymas labas aš kaip taip pat ar dar kas jūsų prašau su iš į už",
    "vi": "và là không của tôi có được cho đơn hàng cảm ơn xin chào nhưng này một với đã chưa thì các vui lòng",
    "id": "dan yang tidak saya untuk dengan ini itu pesanan terima kasih halo belum ada dari akan sudah bisa mohon di",
    "ca": "el els que una per amb el meu gràcies hola comanda està tinc com molt però més és vostè i no aquest",
    "ru": "и не что на я с это заказ спасибо здравствуйте мой как но по за для есть был пожалуйста меня вы у",
    "uk": "і не що на я з це замовлення дякую добрий день мій як але за для є був будь ласка мене ви у та",
    "bg": "и не че на аз с това поръчка благодаря здравейте моята как но за да е беше моля ми вие от се съм",
    "sr": "и је да се на није за хвала поруџбина молим имам али како добар дан још само шта сам су који",
}
_BY_WORD: dict[str, list[str]] = {}
for _language, _words in _WORDS.items():
    for _one in dict.fromkeys(_words.split()):
        _BY_WORD.setdefault(_one, []).append(_language)

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7a3\u1100-\u11ff]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
_FEW_KANA = 0.05  # of the letters: Chinese has none


def language_of(text: str) -> str | None:
    """Return the language of a text as BCP 47 names it; None where it is too short or too mixed to tell."""
    sample = text[:_MOST]
    letters = sum(map(str.isalpha, sample))
    if not letters:
        return None
    kana = len(_SCRIPTS[0][1].findall(sample))
    if kana > _FEW_KANA * letters:
        return "ja"
    for language, script in _SCRIPTS[1:]:
        if len(script.findall(sample)) * 2 > letters:
            return language
    return _by_words(sample)


def _by_words(text: str) -> str | None:
    words = _WORD.findall(text.lower())
    score: Counter[str] = Counter()
    own: Counter[str] = Counter()
    for word, times in Counter(words).items():
        languages = _BY_WORD.get(word.replace("’", "'"), ())
        for one in languages:
            # A word of many languages says little, and a word that comes again and again no more than thrice.
            score[one] += min(times, 3) / len(languages)  # type: ignore[assignment]  # a weight
            own[one] += 1
    ranked = score.most_common(2)
    if not ranked or own[ranked[0][0]] < _LEAST_WORDS:
        return None
    if len(ranked) > 1 and ranked[1][1] > 0.85 * ranked[0][1]:
        return None
    return ranked[0][0]


def best_language(text: str, *, among: Collection[str], otherwise: str) -> str:
    """Return which of the languages that we write a text is in; `otherwise` where none, or nobody can tell."""
    found = language_of(text)
    if found is None:
        return otherwise
    return next((one for one in among if one == found or one.partition("-")[0] == found), otherwise)
