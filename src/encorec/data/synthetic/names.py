# ruff: noqa: RUF001, SIM905
"""Words that titles, people and studios are made of; none of them names a real film or person."""

__all__ = ["COUNTRIES", "KEYWORDS", "latin", "person", "studio", "title"]

_FIRST_HE = (
    "Аркадий Богдан Вениамин Глеб Демьян Елисей Захар Игнат Клим Лука Мирон Назар Остап Платон Родион Савва Тарас Фома "
    "Юлиан Ярослав"
).split()
_FIRST_SHE = (
    "Агата Варвара Глафира Дарина Евдокия Жанна Зоя Ирма Клара Лада Мира Нонна Олеся Полина Рада Сабина Таисия Ульяна "
    "Фаина Эмма"
).split()
_BEGIN = (
    "Верхо Луго Круто Бело Черно Сухо Мало Велико Ново Старо Тихо Бычо Дубо Еле Жито Звено Камне Ледо Медо Ночно Озеро "
    "Пере Речко Сосно Туче Хлебо Цвето Широ Ясно Яро"
).split()
_END = (
    "зоров мостов градов лесов пашнин ветров дворов гонов снегов садов бродов ключев рудин полозов гнездов травин "
    "берегов косов льнов щитов стогов яров лугин крылов дубин"
).split()
_ADJECTIVES = (
    "Тих Дальн Янтарн Забыт Стеклянн Медн Зимн Полуночн Ветрен Серебрян Пустынн Бумажн Северн Соломенн Туманн Каменн "
    "Лунн Утренн Безымянн Рыж Хрустальн Вишнёв Седьм Железн Сонн Случайн Морозн Цветн Чужестранн Песчан Ржан Поздн "
    "Скрытн Двойн Льнян Бирюзов Кружевн Пряничн Кочев Шёлков"
).split()
_SOFT = {"Дальн", "Зимн", "Утренн", "Поздн"}
_HE = (
    "компас маяк парус берег колокол трамвай перевал архив оркестр причал фонарь караван зонт якорь сундук переулок "
    "патефон гербарий ковчег циферблат вокзал барометр ледник остров"
).split()
_SHE = (
    "метель переправа гавань мельница тетрадь оранжерея шкатулка лестница аллея карусель флейта пристань карта ярмарка "
    "усадьба тропа скрипка обсерватория лодка сирень мастерская дюна радуга заря"
).split()
_OF = (
    "осени капитана часовщика рассвета кочевников соседки картографа снегопада лесника полнолуния виолончели садовника "
    "двойника ветра черёмухи почтальона акробата циклона звездочёта мельника близнецов шахматиста ключника ноября "
    "стеклодува зимовья архивариуса трёх озёр старой гавани верхнего моста дальней заставы седьмого этажа"
)
_OF_WORDS = (
    *_OF.split(" трёх")[0].split(), "трёх озёр", "старой гавани", "верхнего моста", "дальней заставы", "седьмого этажа",
)  # fmt: skip
_PLACES = (
    "над рекой", "у переправы", "за перевалом", "в тумане", "на рассвете", "под липами", "без адреса", "через поле",
    "до востребования", "по ту сторону льда", "вдоль побережья", "после ливня", "на краю карты", "из Верхолуга",
    "в Малозорске",
)  # fmt: skip
_STUDIO = "Верста Полынья Околица Горизонталь Кинобереста Лукоморка Северяне Медвежата Пилигримы Тетива".split()
_STUDIO_KIND = ("", " Фильм", " Медиа", " Студия")
_LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya".split(),
        strict=True,
    )
) | {"ъ": "", "ь": ""}
COUNTRIES = (
    "Россия", "США", "Франция", "Великобритания", "Германия", "Япония", "Италия", "Канада", "Испания", "Китай",
    "Республика Корея", "Индия", "Австралия", "Швеция", "Дания", "Норвегия", "Бельгия", "Польша", "Украина", "Турция",
    "Мексика", "Аргентина", "Бразилия", "Финляндия", "Ирландия", "Нидерланды", "Чехия", "Израиль", "ЮАР", "Таиланд",
    "СССР",
)  # fmt: skip
"""Countries; the last one ended in 1991."""
KEYWORDS = (
    (("большой город", "ночная жизнь", "небоскрёб"), ("деревня", "глушь", "дорога")),
    (("месть", "тайна прошлого", "предательство"), ("дружба", "взаимовыручка", "соседи")),
    (("школа", "взросление", "первая любовь"), ("старость", "память", "наследство")),
    (("море", "корабль", "остров"), ("горы", "снег", "экспедиция")),
    (("расследование", "улика", "свидетель"), ("побег", "погоня", "двойная жизнь")),
    (("музыкант", "сцена", "слава"), ("учёный", "лаборатория", "открытие")),
    (("война", "фронт", "письмо с фронта"), ("праздник", "свадьба", "новый год")),
    (("робот", "будущее", "космический корабль"), ("замок", "средние века", "рыцарь")),
)
"""For each hidden axis of taste, words of its two ends."""


def _picks(number: int, *sizes: int) -> list[int]:
    """A number spread over places of these sizes, its neighbours apart."""
    total = 1
    for size in sizes:
        total *= size
    number = number * 7919 % total
    places = []
    for size in sizes:
        places.append(number % size)
        number //= size
    return places


def title(number: int) -> str:
    """A title of its own for each of the first 150,000 numbers or so.

    Example:
        >>> title(1) != title(2)
        True
    """
    adjective, noun, of, place, form = _picks(number, len(_ADJECTIVES), len(_HE), len(_OF_WORDS), len(_PLACES), 6)
    she = form % 2 == 1
    stem, thing = _ADJECTIVES[adjective], (_SHE if she else _HE)[noun]
    soft = stem in _SOFT
    ending = ("яя" if soft else "ая") if she else ("ий" if soft else "ый")
    if form < 2:
        return f"{stem}{ending} {thing} {_OF_WORDS[of]}"
    if form < 4:
        return f"{stem}{ending} {thing} {_PLACES[place]}"
    return f"{thing.capitalize()} {_OF_WORDS[of]} {_PLACES[place]}"


def latin(text: str) -> str:
    """Russian text in Latin letters.

    Example:
        >>> latin("Маяк осени")
        'Mayak oseni'
    """
    return "".join(
        _LATIN.get(one, one) if one.islower() or not one.isalpha() else _LATIN.get(one.lower(), one).capitalize()
        for one in text
    )


def person(number: int) -> str:
    """A name of its own for each of the first 30,000 numbers.

    Example:
        >>> len({person(number) for number in range(30_000)})
        30000
    """
    first, begin, end = _picks(number, 40, len(_BEGIN), len(_END))
    surname = _BEGIN[begin] + _END[end]
    return f"{_FIRST_HE[first]} {surname}" if first < 20 else f"{_FIRST_SHE[first - 20]} {surname}а"


def studio(number: int) -> str:
    """One of 38 studios.

    Example:
        >>> len({studio(number) for number in range(38)})
        38
    """
    return _STUDIO[number % 10] + _STUDIO_KIND[number // 10 % 4]
