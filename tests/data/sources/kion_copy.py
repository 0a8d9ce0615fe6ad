# ruff: noqa: RUF001
"""A KION of a handful of rows, in any of the layouts in which the real one goes round."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

RAW = {
    "interactions": """user_id,item_id,last_watch_dt,total_dur,watched_pct
176549,9506,2021-05-11,4250,72.0
699317,1659,2021-05-29,8317,100.0
656683,7107,2021-05-09,10,0.0
864613,7638,2021-07-05,14483,
176549,1659,2021-05-11,100,25.0
""",
    "users": """user_id,age,income,sex,kids_flg
973171,age_25_34,income_60_90,М,1
176549,age_18_24,income_20_40,Ж,0
699317,age_65_inf,income_150_inf,,0
656683,,,,0
""",
    "items": '''item_id,content_type,title,title_orig,release_year,genres,countries,for_kids,age_rating,studios,\
directors,actors,description,keywords
9506,film,"Мой шпион, или ""Крот""",Spy,2020.0,"комедии, боевики",США,,12.0,,Питер Сигал,"Дэйв Батиста, Хлоя Коулман","О
странном
деле","шпион, дети"
1659,series,Дом,House,1978.0,"драмы, комедии","США, Россия",1.0,16.0,HBO,,,,
7107,film,,Lost,,драмы,,,18.0,"HBO, MTS",,,,
42,film,Холод,Cold,1999.0,драмы,СССР,0.0,0.0,,,,,
''',
}
PROCESSED = {
    "interactions": RAW["interactions"],
    "users": """user_id,age,income,sex,kids_flg
973171,age_25_34,income_60_90,M,True
176549,age_18_24,income_20_40,F,False
699317,age_65_inf,income_150_inf,sex_unknown,False
656683,age_unknown,income_unknown,sex_unknown,False
""",
    "items": '''item_id,content_type,title,title_orig,genres,countries,for_kids,age_rating,studios,directors,actors,\
keywords,release_year_cat
9506,film,"мой шпион, или ""крот""",spy,"комедии, боевики",США,False,12.0,Unknown,Питер Сигал,\
"Дэйв Батиста, Хлоя Коулман","шпион, дети",2020_inf
1659,series,дом,house,"драмы, комедии","США, Россия",True,16.0,HBO,Unknown,Unknown,Unknown,1970-1980
7107,film,None,lost,драмы,Россия,False,18.0,"HBO, MTS",Unknown,Unknown,Unknown,2020_inf
42,film,холод,cold,драмы,СССР,False,0.0,Unknown,Unknown,Unknown,Unknown,1990-2000
''',
}


def with_business_date(tables: Mapping[str, str]) -> dict[str, str]:
    """The same tables with one more column, which some copies have."""
    return {
        name: "\n".join(
            f"{line},{'business_dt' if row == 0 else '2021-08-23'}" for row, line in enumerate(text.splitlines())
        )
        if name != "items"
        else text
        for name, text in tables.items()
    }


def write_folder(root: Path, tables: Mapping[str, str], pattern: str = "{}.csv") -> Path:
    """The tables as files named by ``pattern``, which may hold a folder."""
    for name, text in tables.items():
        path = root / pattern.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def write_zip(path: Path, tables: Mapping[str, str], pattern: str = "{}.csv") -> Path:
    """The tables as members of a zip, beside the rubbish that a Mac leaves in one."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in tables.items():
            archive.writestr(pattern.format(name), text)
            archive.writestr(f"__MACOSX/._{name}.csv", b"\x00\x05\x16\x07")
    return path
